//! K04: whatever ends a pack, there is no half archive, and the old one is as it was.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A corpus that takes a while to pack, and an archive that is to be replaced.
struct Scene {
    _folder: tempfile::TempDir,
    corpus: PathBuf,
    archive: PathBuf,
}

const OLD: &[u8] = b"what was there before";

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let corpus = folder.path().join("corpus");
        std::fs::create_dir(&corpus).unwrap();
        let mut x = 1u64;
        for i in 0..150 {
            let words: String = (0..12_000)
                .map(|_| {
                    x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    format!("{} ", x >> 45)
                })
                .collect();
            std::fs::write(corpus.join(format!("{i}.html")), format!("<title>{i}</title>{words}")).unwrap();
        }
        let out = folder.path().join("out");
        std::fs::create_dir(&out).unwrap();
        let archive = out.join("a.tome");
        std::fs::write(&archive, OLD).unwrap();
        Self { _folder: folder, corpus, archive }
    }

    fn pack(&self) -> Command {
        self.pack_at("19")
    }

    fn pack_at(&self, level: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tome"));
        command.args(["pack", "--force", "--level", level, "-o"]).arg(&self.archive).arg(&self.corpus);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    fn out(&self) -> &Path {
        self.archive.parent().unwrap()
    }

    /// Files in the target's folder beside the archive.
    fn others(&self) -> Vec<PathBuf> {
        let all = std::fs::read_dir(self.out()).unwrap().map(|e| e.unwrap().path());
        all.filter(|p| *p != self.archive).collect()
    }

    /// Returns true if a program has a file open in the target's folder, with a name or without.
    fn is_written(&self, child: &Child) -> bool {
        let open = std::fs::read_dir(format!("/proc/{}/fd", child.id())).into_iter().flatten().flatten();
        let mut open = open.filter_map(|fd| std::fs::read_link(fd.path()).ok());
        !self.others().is_empty() || open.any(|path| path.starts_with(self.out()))
    }

    /// Waits until the pack has begun its temporary file.
    fn wait_for_work(&self, child: &mut Child) {
        let start = Instant::now();
        while !self.is_written(child) {
            assert!(child.try_wait().unwrap().is_none(), "it ended before it began");
            assert!(start.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(100));
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended before it was to be ended: more work is needed"
        );
    }
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn k04_ctrl_c_leaves_the_old_archive_and_nothing_else() {
    let scene = Scene::new();
    let mut child = scene.pack().spawn().unwrap();
    scene.wait_for_work(&mut child);
    signal(&child, "-INT");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("interrupted"), "{output:?}");
    assert_eq!(std::fs::read(&scene.archive).unwrap(), OLD);
    assert_eq!(scene.others(), [] as [PathBuf; 0]);
}

#[test]
fn k04_a_second_ctrl_c_leaves_no_more_than_the_first() {
    let scene = Scene::new();
    // One block of this level takes long enough for the second one to come in time.
    let mut child = scene.pack_at("22").spawn().unwrap();
    scene.wait_for_work(&mut child);
    signal(&child, "-INT");
    signal(&child, "-INT");
    assert!(matches!(child.wait().unwrap().code(), Some(2 | 130)));
    assert_eq!(std::fs::read(&scene.archive).unwrap(), OLD);
    assert_eq!(scene.others(), [] as [PathBuf; 0]);
}

#[test]
fn k04_kill_9_leaves_the_old_archive_and_the_next_pack_works() {
    let scene = Scene::new();
    let mut child = scene.pack().spawn().unwrap();
    scene.wait_for_work(&mut child);
    signal(&child, "-KILL");
    child.wait().unwrap();
    assert_eq!(std::fs::read(&scene.archive).unwrap(), OLD);
    // No program can tidy up after that. Linux does; elsewhere what is left is named so that it is no
    // archive.
    if cfg!(target_os = "linux") {
        assert_eq!(scene.others(), [] as [PathBuf; 0]);
    }
    assert!(scene.others().iter().all(|p| p.extension().is_some_and(|e| e == "part")));
    assert!(scene.pack_at("1").status().unwrap().success());
    assert_ne!(std::fs::read(&scene.archive).unwrap(), OLD);
}

#[test]
fn k04_a_file_system_that_takes_no_more_leaves_the_old_archive_and_nothing_else() {
    let scene = Scene::new();
    // No file may grow beyond 1 MB: the write fails as on a full disk.
    let program = scene.pack();
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -f 2000; exec \"$@\"", "sh"]).arg(program.get_program());
    let output = limited.args(program.get_args()).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("a.tome") && said.contains("write"), "{said}");
    assert_eq!(std::fs::read(&scene.archive).unwrap(), OLD);
    assert_eq!(scene.others(), [] as [PathBuf; 0]);
}

#[test]
fn k04_two_packs_of_one_target_give_one_whole_archive() {
    let scene = Scene::new();
    let mut fast = scene.pack();
    fast.args(["--exclude", "[1-9]*.html"]);
    let (mut a, mut b) =
        (fast.spawn().unwrap(), scene.pack().args(["--exclude", "1*.html"]).spawn().unwrap());
    assert!(a.wait().unwrap().success() && b.wait().unwrap().success());
    let verified =
        Command::new(env!("CARGO_BIN_EXE_tome")).arg("verify").arg(&scene.archive).output().unwrap();
    assert!(verified.status.success(), "{verified:?}");
    assert_eq!(scene.others(), [] as [PathBuf; 0]);
}

//! temporary
use std::path::Path;
use tome::item::*;
use tome::writer::{Options, Writer};
fn main() {
    let a: Vec<String> = std::env::args().collect();
    if a[1] == "pack" {
        let root = Path::new(&a[2]);
        let mut w =
            Writer::create(Path::new(&a[3]), Options { force: true, ..Options::default() }, &Silent).unwrap();
        let mut files: Vec<_> = walkdir::WalkDir::new(root)
            .into_iter()
            .filter_map(|e| e.ok())
            .filter(|e| e.file_type().is_file())
            .map(|e| e.path().to_path_buf())
            .collect();
        files.sort();
        for f in files {
            let path = f.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            let bytes = std::fs::read(&f).unwrap();
            let html = path.ends_with(".html");
            let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4096)]);
            let title = text
                .find("<title>")
                .and_then(|i| {
                    text[i + 7..].find("</title>").map(|j| text[i + 7..i + 7 + j].trim().to_string())
                })
                .filter(|t| t != "Redirection");
            let mime =
                if html { "text/html".to_string() } else { path.rsplit('.').next().unwrap().to_string() };
            let content = Content::Bytes(bytes);
            w.put(Item {
                title: if html { title } else { None },
                body: if html { Body::Article { mime, content } } else { Body::Media { mime, content } },
                generated: false,
                escaped: false,
                language: None,
                origin: String::new(),
                path,
            })
            .unwrap();
        }
        let s = w.finish(&About::default()).unwrap();
        println!("{s:?}");
    } else {
        let t = std::time::Instant::now();
        let z = tome::reader::Archive::open(&a[2]).unwrap();
        println!("open {:?}", t.elapsed());
        for r in &z.first_page().rows {
            println!("{:16} {:>9} count {} copy {}", r.kind.name(), r.len, r.count, r.copy);
        }
        let n = z.first_page().n_articles;
        let mut x = 1u64;
        let mut v = vec![];
        let mut p = vec![];
        let mut tt = vec![];
        for _ in 0..20000 {
            x = x.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let t = std::time::Instant::now();
            let e = z.random_article(x).unwrap().unwrap();
            let c = z.content(&e).unwrap();
            v.push(t.elapsed().as_nanos());
            std::hint::black_box(c.len());
            let t = std::time::Instant::now();
            let e2 = z.entry_by_path(&e.path).unwrap().unwrap();
            p.push(t.elapsed().as_nanos());
            assert_eq!(e, e2);
            let t = std::time::Instant::now();
            let e2 = z.entries_by_title(&e.title).unwrap();
            tt.push(t.elapsed().as_nanos());
            assert!(e2.contains(&e));
        }
        for (n, v) in [("random", &mut v), ("path", &mut p), ("title", &mut tt)] {
            v.sort();
            println!("{n} p50 {} p99 {}", v[v.len() / 2], v[v.len() * 99 / 100]);
        }
        let mut total = 0;
        let t = std::time::Instant::now();
        let mut k = 0;
        for e in z.entries() {
            let e = e.unwrap();
            total += z.content(&e).unwrap().len();
            k += 1;
        }
        println!("{n} articles, {k} entries, {total} bytes {:?}", t.elapsed());
    }
}

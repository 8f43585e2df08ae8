//! The picture that readers show of a file: an icon scaled, or one drawn here.

use std::io::Cursor;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::imageops::{self, FilterType as Scaling};
use image::{ExtendedColorType, ImageEncoder, ImageReader, Limits, Rgba, RgbaImage};

/// The largest side of a picture that is scaled, and the most memory that decoding it may take.
const MAX_SIDE: u32 = 8192;
const MAX_ALLOC: u64 = 128 << 20;

/// Returns a picture as a square PNG: its sides keep their ratio, the margins are transparent.
///
/// # Errors
///
/// Returns what is wrong with the picture.
pub fn scaled(bytes: &[u8], side: u32) -> Result<Vec<u8>, String> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|e| e.to_string())?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_ALLOC);
    reader.limits(limits);
    let mut picture = reader.decode().map_err(|e| e.to_string())?.into_rgba8();
    let (width, height) = picture.dimensions();
    let longest = width.max(height);
    if width == 0 || height == 0 {
        return Err("it is empty".into());
    }
    // What is transparent has a colour too, which must not bleed into its neighbours.
    for Rgba([r, g, b, a]) in picture.pixels_mut() {
        for c in [r, g, b] {
            *c = (u32::from(*c) * u32::from(*a) / 255) as u8;
        }
    }
    let part = |n: u32| (u64::from(n) * u64::from(side)).div_ceil(u64::from(longest)).max(1) as u32;
    let (w, h) = (part(width), part(height));
    // Cheaply near to it first.
    if longest / 8 > side {
        picture = imageops::thumbnail(&picture, w * 4, h * 4);
    }
    let mut picture = imageops::resize(&picture, w, h, Scaling::CatmullRom);
    for Rgba([r, g, b, a]) in picture.pixels_mut() {
        for c in [r, g, b] {
            *c = (u32::from(*c) * 255).checked_div(u32::from(*a)).unwrap_or(0).min(255) as u8;
        }
    }
    let mut square = RgbaImage::new(side, side);
    imageops::overlay(&mut square, &picture, i64::from((side - w) / 2), i64::from((side - h) / 2));
    png(&square)
}

fn png(picture: &RgbaImage) -> Result<Vec<u8>, String> {
    let mut out = vec![];
    let encoder = PngEncoder::new_with_quality(&mut out, CompressionType::Best, FilterType::Adaptive);
    let (width, height) = picture.dimensions();
    encoder.write_image(picture, width, height, ExtendedColorType::Rgba8).map_err(|e| e.to_string())?;
    Ok(out)
}

/// Points a side of each pixel that is drawn.
const FINE: u32 = 4;

/// Draws an open book on a ground whose colour the seed chooses.
///
/// # Errors
///
/// Fails for no reason that a drawing could give.
pub fn drawn(seed: u32, side: u32) -> Result<Vec<u8>, String> {
    let ground = ground(seed);
    let mut picture = RgbaImage::new(side, side);
    let step = 1.0 / (side * FINE) as f32;
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        let mut sum = [0u32; 4];
        for fine in 0..FINE * FINE {
            let at = |pixel: u32, fine: u32| ((pixel * FINE + fine) as f32 + 0.5) * step;
            if let Some(colour) = colour_at(at(x, fine % FINE), at(y, fine / FINE), ground) {
                for (sum, c) in sum.iter_mut().zip(colour) {
                    *sum += u32::from(c);
                }
                sum[3] += 1;
            }
        }
        let covered = sum[3].max(1);
        let alpha = sum[3] * 255 / (FINE * FINE);
        *pixel = Rgba([sum[0] / covered, sum[1] / covered, sum[2] / covered, alpha].map(|c| c as u8));
    }
    png(&picture)
}

/// Returns a colour of the seed's hue, dark enough for white upon it.
fn ground(seed: u32) -> [u8; 3] {
    let hue = (seed % 360) as f32 / 60.0;
    let (bright, dull) = (165.0f32, 55.0f32);
    let channel = |shift: f32| {
        let at = (hue + shift).rem_euclid(6.0);
        let share = (2.0 - (at - 3.0).abs()).clamp(0.0, 1.0);
        (dull + (bright - dull) * (1.0 - share)) as u8
    };
    [channel(0.0), channel(4.0), channel(2.0)]
}

/// Returns the colour of a point in the unit square, or `None` outside of the rounded ground.
fn colour_at(x: f32, y: f32, ground: [u8; 3]) -> Option<[u8; 3]> {
    let (margin, radius) = (0.03, 0.2);
    let corner = |v: f32| ((v - 0.5).abs() - (0.5 - margin - radius)).max(0.0);
    if corner(x).hypot(corner(y)) > radius {
        return None;
    }
    // From the fold outwards.
    let out = (x - 0.5).abs();
    // Pages rise from the fold and fall again to their edges.
    let bend = 0.09 * (out / 0.34 * std::f32::consts::PI).sin();
    let (top, bottom) = (0.31 - bend, 0.71 - bend);
    let shade = |colour: [u8; 3], percent: u32| colour.map(|c| (u32::from(c) * percent / 100) as u8);
    if out < 0.37 && (top + 0.055..bottom + 0.055).contains(&y) && !(out < 0.34 && y < bottom) {
        return Some(shade(ground, 55));
    }
    if out >= 0.34 || !(top..bottom).contains(&y) {
        return Some(ground);
    }
    if out < 0.012 {
        return Some(shade(ground, 70));
    }
    let white = [252, 251, 247];
    // Lines of text, the last one short.
    let line = (y - top - 0.07) / 0.09;
    let is_line = (0.0..3.35).contains(&line) && line.fract() < 0.36;
    let end = if line >= 3.0 { 0.19 } else { 0.28 };
    if is_line && (0.065..end).contains(&out) {
        let [r, g, b] = ground;
        return Some([r, g, b].map(|c| ((u32::from(c) + 2 * 190) / 3) as u8));
    }
    Some(white)
}

#[cfg(test)]
mod tests {
    use super::super::super::metadata::png_size;
    use super::*;

    fn picture(width: u32, height: u32) -> Vec<u8> {
        png(&RgbaImage::from_fn(width, height, |x, y| Rgba([x as u8, y as u8, 7, 255]))).unwrap()
    }

    #[test]
    fn pictures_become_squares_and_keep_their_ratio() {
        for (width, height) in [(48, 48), (500, 250), (3, 900), (1, 1), (2000, 1999)] {
            let out = scaled(&picture(width, height), 48).unwrap();
            assert_eq!(png_size(&out), Some((48, 48)));
        }
        let wide = image::load_from_memory(&scaled(&picture(500, 250), 48).unwrap()).unwrap().into_rgba8();
        assert_eq!([wide[(24, 5)][3], wide[(24, 24)][3], wide[(24, 42)][3]], [0, 255, 0]);
    }

    #[test]
    fn hostile_pictures_are_errors() {
        let mut huge = picture(4, 4);
        huge[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
        for bytes in [&huge[..], b"", b"<svg/>", &picture(9, 9)[..40], b"\x89PNG\r\n\x1a\n"] {
            assert!(scaled(bytes, 48).is_err());
        }
    }

    #[test]
    fn the_drawn_one_depends_on_its_seed_alone() {
        let one = drawn(7, 48).unwrap();
        assert_eq!(png_size(&one), Some((48, 48)));
        assert_eq!(one, drawn(7, 48).unwrap());
        assert_ne!(one, drawn(187, 48).unwrap());
        assert!(one.len() < 5000, "{}", one.len());
    }
}

use super::*;
use crate::decode::Decoder;
use crate::encode::{self, Content, Encoder};
use crate::testing;
use media::{Bitrate, BufferPool, Pool, VideoCodec};
use std::io::Cursor;

/// Builds a box.
fn boxed(kind: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let size = u32::try_from(payload.len() + 8).unwrap();
    [&size.to_be_bytes()[..], &kind, payload].concat()
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// Returns a clip of 8 frames at 30000/1001 with key frames 0 and 4, in chunks of 3, 3 and 2.
fn clip() -> Vec<u8> {
    let (frames, pool) = (Pool::new(2), BufferPool::new(2));
    let size = Size::new(64, 48);
    let config = encode::Config {
        codec: VideoCodec::H264,
        size,
        rate: FrameRate::THIRTY,
        bitrate: Bitrate::kbps(100),
        temporal_layers: 1,
        content: Content::Camera,
        spatial: 0,
    };
    let mut encoder = Encoder::open(&config).unwrap();
    let (mut media, mut sizes, mut sets) = (Vec::new(), vec![], vec![]);
    let head = boxed(*b"ftyp", b"isom\0\0\0\0isom");
    let mut offsets = Vec::new();
    for number in 0..8 {
        let encoded = encoder.encode(&testing::picture(&frames, size, number), number == 4, &pool).unwrap().unwrap();
        let units: Vec<Vec<u8>> = bitstream::prefixed(&encoded.payload).map(|unit| unit.unwrap().to_vec()).collect();
        let slice = units.last().unwrap();
        if number == 0 {
            sets = units[..2].to_vec();
        }
        if number % 3 == 0 {
            offsets.push(u32::try_from(head.len() + 8 + media.len()).unwrap());
        }
        let length = u16::try_from(slice.len()).unwrap().to_be_bytes();
        sizes.push(u32::from(u16::from_be_bytes(length)) + 2);
        media.extend_from_slice(&length);
        media.extend_from_slice(slice);
    }
    let set = |set: &[u8]| [&[1][..], &u16::try_from(set.len()).unwrap().to_be_bytes(), set].concat();
    // NAL unit lengths of two bytes; reserved bits around the counts.
    let avcc = [&[1, 66, 0xC0, 31, 0xFD][..], &set(&sets[0]), &set(&sets[1])].concat();
    let mut avcc = avcc;
    avcc[5] |= 0xE0;
    let entry = [vec![0; 24], vec![0, 64, 0, 48], vec![0; 50], boxed(*b"avcC", &avcc)].concat();
    let stsd = boxed(*b"stsd", &[words(&[0, 1]), boxed(*b"avc1", &entry)].concat());
    let stsz = boxed(*b"stsz", &[words(&[0, 0, 8]), words(&sizes)].concat());
    let stsc = boxed(*b"stsc", &words(&[0, 2, 1, 3, 1, 3, 2, 1]));
    let stco = boxed(*b"stco", &[words(&[0, 3]), words(&offsets)].concat());
    let stss = boxed(*b"stss", &words(&[0, 2, 1, 5]));
    let stts = boxed(*b"stts", &words(&[0, 1, 8, 1_001]));
    let stbl = boxed(*b"stbl", &[stsd, stts, stss, stsc, stsz, stco].concat());
    let hdlr = boxed(*b"hdlr", &[words(&[0, 0]), b"vide".to_vec(), vec![0; 13]].concat());
    let mdhd = boxed(*b"mdhd", &words(&[0, 0, 0, 30_000, 8_008, 0]));
    let mdia = boxed(*b"mdia", &[mdhd, hdlr, boxed(*b"minf", &stbl)].concat());
    let tkhd =
        boxed(*b"tkhd", &words(&[0, 0, 0, 1, 0, 8_008, 0, 0, 0, 0, 0, ONE, 0, MINUS_ONE, 0, 0, 0, 0, 0x4000_0000]));
    let trak = boxed(*b"trak", &[tkhd, mdia].concat());
    [head, boxed(*b"mdat", &media), boxed(*b"moov", &trak)].concat()
}

fn play(bytes: &[u8]) -> Result<usize, Error> {
    let mut clip = Clip::new(Cursor::new(bytes))?;
    let mut decoder = Decoder::open(VideoCodec::H264).unwrap();
    let (mut bitstream, mut shown) = (Vec::new(), 0);
    for index in 0..clip.len() {
        clip.read(index, &mut bitstream)?;
        let _ = decoder.decode(&bitstream, &mut |_| shown += 1);
    }
    while let Ok(true) = decoder.flush(&mut |_| shown += 1) {}
    Ok(shown)
}

#[test]
fn a_clip_is_read_and_decoded() {
    let bytes = clip();
    let clip = Clip::new(Cursor::new(&bytes)).unwrap();
    assert_eq!((clip.len(), clip.size()), (8, Size::new(64, 48)));
    assert_eq!(clip.rate(), FrameRate::new(30_000, 1_001).unwrap());
    assert_eq!(clip.rotation(), Rotation::Quarter);
    assert_eq!((0..9).map(|index| clip.is_key(index)).filter(|key| *key).count(), 2);
    assert_eq!(play(&bytes).unwrap(), 8);
    let mut clip = clip;
    assert!(matches!(clip.read(8, &mut Vec::new()), Err(Error::Empty)));
}

#[test]
fn every_truncation_is_refused() {
    let bytes = clip();
    for length in 0..bytes.len() {
        let refused = Clip::new(Cursor::new(&bytes[..length]));
        assert!(refused.is_err(), "at {length}");
    }
}

#[test]
fn damaged_bytes_do_not_panic() {
    let bytes = clip();
    for at in 0..bytes.len() {
        for value in [0, 0x7F, 0xFF] {
            let mut damaged = bytes.clone();
            damaged[at] = value;
            if let Ok(mut clip) = Clip::new(Cursor::new(&damaged)) {
                let mut bitstream = Vec::new();
                for index in 0..clip.len() {
                    let _ = clip.read(index, &mut bitstream);
                }
            }
        }
    }
}

#[test]
fn other_formats_are_named_in_the_error() {
    assert!(matches!(Clip::new(Cursor::new(b"")), Err(Error::Kind("MP4"))));
    assert!(matches!(Clip::new(Cursor::new(b"RIFF\0\0\0\0WAVEfmt ")), Err(Error::Kind("MP4"))));
    assert!(matches!(Clip::new(Cursor::new(&[0xFF; 64])), Err(Error::Kind("MP4") | Error::Damaged(_))));
    let codec = clip().windows(4).position(|window| window == b"avc1").unwrap();
    let mut other = clip();
    other[codec..codec + 4].copy_from_slice(b"hvc1");
    let Err(error) = Clip::new(Cursor::new(&other)) else { panic!("opened") };
    assert!(matches!(error, Error::Format(name) if name == "HEVC (H.265)"));
}

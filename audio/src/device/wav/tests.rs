use super::*;
use std::io::Cursor;

/// Returns a chunk with a pad byte after an odd size.
fn chunk(kind: &[u8], body: &[u8]) -> Vec<u8> {
    let size = u32::try_from(body.len()).unwrap().to_le_bytes();
    [kind, &size, body, &[0][..body.len() % 2]].concat()
}

fn format(tag: u16, channels: u16, bytes: u16, bits: u16) -> Vec<u8> {
    let frame = channels * bytes;
    let rate = 48_000_u32;
    let numbers = [tag.to_le_bytes(), channels.to_le_bytes()].concat();
    [
        numbers,
        rate.to_le_bytes().to_vec(),
        (rate * u32::from(frame)).to_le_bytes().to_vec(),
        frame.to_le_bytes().to_vec(),
        bits.to_le_bytes().to_vec(),
    ]
    .concat()
}

fn extensible(channels: u16, bytes: u16, valid: u16, sub: u16) -> Vec<u8> {
    let guid = b"\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71";
    let tail =
        [&22_u16.to_le_bytes()[..], &valid.to_le_bytes(), &4_u32.to_le_bytes(), &sub.to_le_bytes(), guid].concat();
    [format(0xFFFE, channels, bytes, bytes * 8), tail].concat()
}

fn riff(chunks: &[Vec<u8>]) -> Vec<u8> {
    let body = [b"WAVE".to_vec(), chunks.concat()].concat();
    [&b"RIFF"[..], &u32::try_from(body.len()).unwrap().to_le_bytes(), &body].concat()
}

/// Four 16-bit samples: 0, 0.5, -0.5, 0.25.
const SAMPLES: &[u8] = &[0, 0, 0, 0x40, 0, 0xC0, 0, 0x20];
const EXPECTED: [f32; 4] = [0.0, 0.5, -0.5, 0.25];

fn read(bytes: &[u8]) -> Result<Vec<f32>, Error> {
    let mut reader = Reader::new(Cursor::new(bytes))?;
    let mut all = Vec::new();
    while let Some(sample) = reader.next()? {
        all.push(sample);
    }
    reader.rewind()?;
    assert_eq!(reader.next()?, all.first().copied());
    Ok(all)
}

#[test]
fn a_file_that_was_written_to_a_pipe_is_read_to_its_end() {
    for size in [[0xFF; 4], [0; 4]] {
        for length in [[0xFF; 4], [0; 4], 36_u32.to_le_bytes()] {
            let data = [&b"data"[..], &size, SAMPLES].concat();
            let mut file = riff(&[chunk(b"fmt ", &format(1, 1, 2, 16)), data]);
            file[4..8].copy_from_slice(&length);
            if size == [0; 4] && length == [0xFF; 4] {
                // The header says that the file is larger and the samples are none.
                continue;
            }
            assert_eq!(read(&file).unwrap(), EXPECTED, "{size:?} {length:?}");
        }
    }
}

#[test]
fn a_file_without_samples_has_none() {
    let info = chunk(b"LIST", b"INFOabcd");
    let file = riff(&[chunk(b"fmt ", &format(1, 1, 2, 16)), chunk(b"data", b""), info]);
    assert_eq!(Reader::new(Cursor::new(&file)).unwrap().next().unwrap(), None);
}

#[test]
fn chunks_of_odd_size_before_the_samples_are_skipped() {
    let (format, data) = (chunk(b"fmt ", &format(1, 1, 2, 16)), chunk(b"data", SAMPLES));
    let odd = chunk(b"LIST", b"INFOxyz");
    assert_eq!(read(&riff(&[format.clone(), odd.clone(), data.clone()])).unwrap(), EXPECTED);
    assert_eq!(read(&riff(&[odd.clone(), chunk(b"junk", b"1"), format.clone(), data.clone()])).unwrap(), EXPECTED);
    let unpadded = odd[..odd.len() - 1].to_vec();
    assert_eq!(read(&riff(&[format, unpadded, data])).unwrap(), EXPECTED, "a writer that omits the pad byte");
}

#[test]
fn samples_with_fewer_valid_bits_than_bytes_have_their_level() {
    let wide = |sample: &[u8]| [&[0, 0], sample].concat();
    let four: Vec<u8> = SAMPLES.chunks(2).flat_map(wide).collect();
    let file = |format: &[u8], samples: &[u8]| riff(&[chunk(b"fmt ", format), chunk(b"data", samples)]);
    assert_eq!(read(&file(&extensible(1, 4, 24, 1), &four)).unwrap(), EXPECTED, "24 in 32");
    assert_eq!(read(&file(&format(1, 1, 4, 24), &four)).unwrap(), EXPECTED, "24 in 32 without the extension");
    assert_eq!(read(&file(&extensible(1, 2, 12, 1), SAMPLES)).unwrap(), EXPECTED, "12 in 16");
    assert_eq!(read(&file(&format(1, 1, 2, 12), SAMPLES)).unwrap(), EXPECTED, "12 in 16 without the extension");
    let forty_bits: Vec<u8> = SAMPLES.chunks(2).flat_map(|sample| [&[0, 0, 0], sample].concat()).collect();
    assert_eq!(read(&file(&format(1, 1, 5, 40), &forty_bits)).unwrap(), EXPECTED, "40 bits");
}

#[test]
fn floats_of_both_sizes_are_read_and_never_infinite() {
    let file = |format: &[u8], samples: &[u8]| riff(&[chunk(b"fmt ", format), chunk(b"data", samples)]);
    let single: Vec<u8> = EXPECTED.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let double: Vec<u8> = EXPECTED.iter().flat_map(|sample| f64::from(*sample).to_le_bytes()).collect();
    assert_eq!(read(&file(&format(3, 1, 4, 32), &single)).unwrap(), EXPECTED);
    assert_eq!(read(&file(&format(3, 1, 8, 64), &double)).unwrap(), EXPECTED);
    assert_eq!(read(&file(&extensible(1, 8, 64, 3), &double)).unwrap(), EXPECTED);
    for value in [f64::NAN, f64::INFINITY, f64::MAX] {
        assert_eq!(read(&file(&format(3, 1, 8, 64), &value.to_le_bytes())).unwrap(), [0.0]);
    }
    let largest = [f32::MAX.to_le_bytes(), f32::MIN.to_le_bytes()].concat();
    assert_eq!(read(&file(&format(3, 1, 4, 32), &largest)).unwrap(), [1.0, -1.0], "clipped");
}

#[test]
fn a_format_chunk_may_be_longer_than_needed() {
    for length in [16, 17, 18, 20, 28, 41, 300] {
        let mut format = format(1, 1, 2, 16);
        format.resize(length, 0);
        assert_eq!(read(&riff(&[chunk(b"fmt ", &format), chunk(b"data", SAMPLES)])).unwrap(), EXPECTED, "{length}");
    }
    let mut long = extensible(1, 2, 16, 1);
    long.extend([1, 2, 3]);
    assert_eq!(read(&riff(&[chunk(b"fmt ", &long), chunk(b"data", SAMPLES)])).unwrap(), EXPECTED);
}

#[test]
fn a_file_with_64_bit_sizes_is_read() {
    let sizes = [0_u64.to_le_bytes(), 8_u64.to_le_bytes(), 4_u64.to_le_bytes()].concat();
    let data = [&b"data\xFF\xFF\xFF\xFF"[..], SAMPLES, b"LIST\x04\0\0\0INFO"].concat();
    for kind in [b"RF64", b"BW64"] {
        let mut file = riff(&[chunk(b"ds64", &sizes), chunk(b"fmt ", &format(1, 1, 2, 16)), data.clone()]);
        file[..4].copy_from_slice(kind);
        assert_eq!(read(&file).unwrap(), EXPECTED);
    }
}

#[test]
fn a_format_that_cannot_be_read_is_named() {
    let mut big_endian = riff(&[chunk(b"fmt ", &format(1, 1, 2, 16)), chunk(b"data", SAMPLES)]);
    big_endian[..4].copy_from_slice(b"RIFX");
    let channels = |count| riff(&[chunk(b"fmt ", &format(1, count, 1, 8)), chunk(b"data", SAMPLES)]);
    let law = |tag| riff(&[chunk(b"fmt ", &format(tag, 1, 1, 8)), chunk(b"data", SAMPLES)]);
    for (file, name) in [
        (&big_endian[..], "WAV in big-endian order (RIFX)"),
        (b"riff\x2E\x91\xCF\x11\xA5\xD6\x28\xDB\x04\xC1\0\0", "Wave64"),
        (b"FORM\0\0\0\0AIFC", "AIFF"),
        (b"fLaC\0\0\0\0", "FLAC"),
        (b"ID3\x03\0\0\0\0", "MP3"),
        (b"OggS\0", "Ogg"),
        (b"\0\0\0\x20ftypM4A ", "MP4"),
        (&law(6), "WAV with A-law"),
        (&law(7), "WAV with µ-law"),
        (&law(0x11), "WAV with ADPCM"),
        (&law(0x4242), "WAV with codec 0x4242"),
        (&channels(33), "WAV with 33 channels, more than 32,"),
        (&channels(65_535), "WAV with 65535 channels, more than 32,"),
    ] {
        let error = read(file).unwrap_err();
        assert!(matches!(&error, Error::Format(found) if found == name), "{name}: {error}");
    }
    assert!(read(&channels(32)).is_ok());
    assert!(matches!(read(b"this is not a WAV file"), Err(Error::NotWav)));
    assert!(matches!(read(b""), Err(Error::NotWav)));
}

#[test]
fn damaged_headers_are_errors_and_never_panic() {
    let file = riff(&[chunk(b"fmt ", &extensible(2, 4, 24, 1)), chunk(b"LIST", b"abc"), chunk(b"data", SAMPLES)]);
    for length in 0..file.len() - SAMPLES.len() {
        assert!(Reader::new(Cursor::new(&file[..length])).is_err(), "at {length}");
    }
    for at in 0..file.len() {
        for value in [0, 1, 0x7F, 0xFF] {
            let mut damaged = file.clone();
            damaged[at] = value;
            if let Ok(samples) = read(&damaged) {
                assert!(samples.iter().all(|sample| sample.is_finite()));
            }
        }
    }
}

#[test]
fn a_written_file_is_read_by_another_library() {
    let mut file = Cursor::new(Vec::new());
    let mut writer = Writer::new(&mut file, 48_000).unwrap();
    writer.write([0, 16_384, i16::MIN].into_iter()).unwrap();
    writer.flush().unwrap();
    writer.write([7].into_iter()).unwrap();
    writer.flush().unwrap();
    let mut reader = hound::WavReader::new(Cursor::new(file.get_ref())).unwrap();
    assert_eq!((reader.spec().sample_rate, reader.spec().channels), (48_000, 1));
    assert_eq!(reader.samples::<i16>().map(Result::unwrap).collect::<Vec<_>>(), [0, 16_384, i16::MIN, 7]);
    assert_eq!(read(file.get_ref()).unwrap().len(), 4);
}

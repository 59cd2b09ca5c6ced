use super::*;
use crate::testing;
use media::{Frame, Plane, Pool, Timestamp};
use std::io::Cursor;

const COLOUR: Colour = Colour { matrix: Matrix::Bt601, full_range: true };

fn planes(frame: &Frame) -> [PlaneRef<'_>; 3] {
    [Plane::Y, Plane::U, Plane::V].map(|plane| frame.plane(plane))
}

fn file(size: Size, pictures: u64) -> Vec<u8> {
    let header = Header { size, rate: FrameRate::new(30_000, 1_001).unwrap(), colour: COLOUR };
    let mut writer = Writer::new(Vec::new(), header).unwrap();
    let pool = Pool::new(1);
    (0..pictures).for_each(|number| writer.write(planes(&testing::picture(&pool, size, number))).unwrap());
    writer.finish().unwrap()
}

fn next(reader: &mut Reader<Cursor<Vec<u8>>>) -> Option<Frame> {
    let mut frame = Pool::new(1).take(reader.header().size).unwrap();
    let read = reader.read(&mut frame).unwrap();
    read.then(|| frame.freeze(0, Timestamp::default(), COLOUR))
}

#[test]
fn written_frames_are_read_back_and_again_after_rewind() {
    for size in [Size::new(64, 48), Size::new(7, 5)] {
        let mut reader = Reader::new(Cursor::new(file(size, 3))).unwrap();
        assert_eq!(reader.header(), Header { size, rate: FrameRate::new(30_000, 1_001).unwrap(), colour: COLOUR });
        for _ in 0..2 {
            for number in 0..3 {
                let (read, truth) = (next(&mut reader).unwrap(), testing::picture(&Pool::new(1), size, number));
                let equal = |(one, other): (PlaneRef<'_>, PlaneRef<'_>)| one.rows().eq(other.rows());
                assert!(planes(&read).into_iter().zip(planes(&truth)).all(equal));
            }
            assert!(next(&mut reader).is_none());
            reader.rewind().unwrap();
        }
    }
}

#[test]
fn a_truncated_last_frame_is_ignored() {
    let whole = file(Size::new(16, 16), 2);
    for length in 0..whole.len() {
        let Ok(mut reader) = Reader::new(Cursor::new(whole[..length].to_vec())) else { continue };
        assert!(next(&mut reader).is_some());
        let mut frame = Pool::new(1).take(Size::new(16, 16)).unwrap();
        assert!(matches!(reader.read(&mut frame), Ok(false) | Err(_)));
    }
    let one = file(Size::new(16, 16), 1);
    assert!(matches!(Reader::new(Cursor::new(one[..one.len() - 1].to_vec())), Err(Error::Empty)));
}

#[test]
fn variants_of_420_are_read_and_other_formats_refused() {
    let read = |line: &str| {
        let file = [line.as_bytes(), b"\nFRAME\n", &[0; 24]].concat();
        Reader::new(Cursor::new(file)).map(|reader| reader.header())
    };
    for format in ["", " C420", " C420jpeg", " C420mpeg2", " C420paldv"] {
        let header = read(&format!("YUV4MPEG2 W4 H4 F25:1 Ip{format} XYSCSS=420")).unwrap();
        assert_eq!(header.colour, Colour { matrix: Matrix::Bt601, full_range: false });
    }
    assert!(read("YUV4MPEG2 W4 H4 F25:1 XCOLORRANGE=FULL").unwrap().colour.full_range);
    for other in ["C422", "C420p10", "Cmono", "It"] {
        assert!(matches!(read(&format!("YUV4MPEG2 W4 H4 F25:1 {other}")), Err(Error::Format(_))), "{other}");
    }
    for broken in ["W4", "W4 H-4", "W4 H4 F25", "W4 H4 F1:0", "W99999 H4"] {
        assert!(matches!(read(&format!("YUV4MPEG2 {broken}")), Err(Error::Damaged(_))), "{broken}");
    }
    assert!(matches!(read("YUV4MPEG2 W60000 H60000"), Err(Error::Unsupported(_))));
    assert!(matches!(read("RIFF"), Err(Error::Kind("Y4M"))));
    assert!(matches!(read(&"Y".repeat(5_000)), Err(Error::Kind("Y4M"))));
}

#[test]
fn a_missing_frame_header_is_damage() {
    let mut bytes = file(Size::new(16, 16), 2);
    let second = bytes.windows(5).rposition(|window| window == b"FRAME").unwrap();
    bytes[second] = b'X';
    let mut reader = Reader::new(Cursor::new(bytes)).unwrap();
    assert!(next(&mut reader).is_some());
    let mut frame = Pool::new(1).take(Size::new(16, 16)).unwrap();
    assert!(matches!(reader.read(&mut frame), Err(Error::Damaged(_))));
}

#[test]
fn the_shape_of_samples_is_read() {
    let aspect = |word: &str| {
        let file = [b"YUV4MPEG2 W4 H4 F25:1 ", word.as_bytes(), b"\nFRAME\n", &[0; 24]].concat();
        Reader::new(Cursor::new(file)).unwrap().aspect()
    };
    assert_eq!(aspect("A4:3"), PixelAspect::new(4, 3).unwrap());
    for unknown in ["", "A0:0", "A1:1", "A", "A1:0", "A1:99", "Ax:y"] {
        assert_eq!(aspect(unknown), PixelAspect::SQUARE, "{unknown}");
    }
}

#[test]
fn a_full_disk_is_an_error_of_writing() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let header = Header { size: Size::new(4, 4), rate: FrameRate::THIRTY, colour: COLOUR };
    let Err(error) = Writer::new(Full, header) else { panic!("written") };
    assert!(matches!(&error, Error::Write(cause) if cause.kind() == std::io::ErrorKind::StorageFull));
    assert!(error.to_string().starts_with("the file cannot be written: "), "{error}");
}

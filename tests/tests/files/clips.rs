//! Clips: orientation, shape, edits and times.

use crate::boxes::{Edit, File, ONE, PAUSE};
use crate::tools::{Folder, ffmpeg, probe, ratio};
use capture::file::Clip;
use media::{Clock, Colour, Frame, Matrix, Plane, Pool, Size, Timestamp};
use std::path::Path;

/// A picture without padding: the planes Y, U and V.
type Planes = [Vec<u8>; 3];

/// Asserts that a clip has the pictures, the shape and the times that ffmpeg finds in it.
fn assert_as_ffmpeg(name: &str, path: &Path) {
    let pictures = pictures(path);
    let size = pictures[0].0;
    assert_shape(name, path, size);
    let times = probe(path, "frame=best_effort_timestamp_time");
    assert_eq!(pictures.len(), times.len(), "{name}: the number of frames");
    let clip = Clip::open(path).expect("it was opened before");
    for (index, time) in (0..).zip(&times) {
        let (ours, theirs) = (clip.due(index).as_secs_f64(), time.parse::<f64>().expect("seconds"));
        assert!((ours - theirs).abs() < 0.002, "{name}: frame {index} is shown at {ours}, not at {theirs}");
    }
    let scale = format!("-vf scale={}:{}:flags=bilinear", size.width, size.height);
    assert_pictures(name, &pictures, &raw(&format!("-i {} {scale}", path.display())));
}

/// Returns the pictures that ffmpeg makes with these arguments, one after the other.
fn raw(arguments: &str) -> Vec<u8> {
    ffmpeg(&format!("{arguments} -vsync passthrough -pix_fmt yuv420p -f rawvideo -"))
}

/// Asserts that the pictures are `theirs`, which ffmpeg made.
fn assert_pictures(name: &str, pictures: &[(Size, Planes)], theirs: &[u8]) {
    let size = pictures[0].0;
    let lengths = [area(size), area(size.chroma()), area(size.chroma())];
    assert_eq!(theirs.len(), pictures.len() * lengths.iter().sum::<usize>(), "{name}: the number of bytes");
    let mut rest = theirs;
    for (index, (_, planes)) in pictures.iter().enumerate() {
        for (plane, length) in planes.iter().zip(lengths) {
            let (theirs, after) = rest.split_at(length);
            rest = after;
            let pairs = plane.iter().zip(theirs).map(|(one, other)| (f64::from(*one), f64::from(*other)));
            let ratio = ratio(255.0, pairs);
            assert!(ratio > MIN_RATIO, "{name}: picture {index} differs from ffmpeg's, {ratio:.1} dB");
        }
    }
}

/// Asserts that `size` has the aspect ratio that a viewer sees.
fn assert_shape(name: &str, path: &Path, size: Size) {
    let entries = "stream=width,height,sample_aspect_ratio:stream_side_data=rotation";
    let line = probe(path, entries).join(",");
    let mut fields = line.split(',');
    let mut number = || fields.next().and_then(|field| field.parse::<f64>().ok());
    let (width, height) = (number().expect("a width"), number().expect("a height"));
    let aspect = fields.next().and_then(|fraction| fraction.split_once(':'));
    let aspect = aspect.and_then(|(one, other)| Some(one.parse::<f64>().ok()? / other.parse::<f64>().ok()?));
    let turned =
        fields.next().and_then(|angle| angle.parse::<f64>().ok()).is_some_and(|angle| (angle.abs() - 90.0).abs() < 2.0);
    let expected = width * aspect.filter(|aspect| aspect.is_finite()).unwrap_or(1.0) / height;
    let expected = if turned { 1.0 / expected } else { expected };
    let shown = f64::from(size.width) / f64::from(size.height);
    assert!((shown / expected - 1.0).abs() < 0.02, "{name}: {size}, but the aspect ratio is {expected}: {line}");
}

/// Returns all pictures of one pass.
fn pictures(path: &Path) -> Vec<(Size, Planes)> {
    let mut clip = Clip::open(path).unwrap_or_else(|error| panic!("{error}"));
    let pool = Pool::new(2);
    let format = clip.format();
    let mut pictures = Vec::new();
    for number in 0..clip.len() {
        let frame = clip.next(&pool).expect("a picture").expect("a free buffer").freeze(number, Timestamp::default());
        assert_eq!(frame.size(), format.size);
        let plane = |plane| frame.plane(plane).rows().flatten().copied().collect();
        pictures.push((frame.size(), [Plane::Y, Plane::U, Plane::V].map(plane)));
    }
    // The second pass begins like the first.
    let again = clip.next(&pool).expect("a picture").expect("a free buffer").freeze(0, Timestamp::default());
    assert!(again.plane(Plane::Y).rows().flatten().eq(&pictures[0].1[0]), "the second pass differs");
    pictures
}

fn area(size: Size) -> usize {
    usize::try_from(size.area()).expect("a small picture")
}

/// Two seconds with reordered pictures and a key frame every ten.
fn source(folder: &Folder) -> File {
    File::read(&folder.make("source.mp4", &format!("{SOURCE} {ENCODE}")))
}

const SOURCE: &str = "-f lavfi -i testsrc2=size=128x96:rate=25:duration=2";
const ENCODE: &str = "-pix_fmt yuv420p -c:v libx264 -preset veryfast -g 10 -bf 2";
/// Equal pictures are equal; scaled ones differ by the rounding of the filters.
const MIN_RATIO: f64 = 30.0;

#[test]
fn clips_of_every_orientation_are_upright() {
    let folder = Folder::new("orientation");
    let source = source(&folder);
    let near = ONE - 2;
    for (name, matrix) in [
        ("upright", [ONE, 0, 0, ONE]),
        ("90", [0, ONE, -ONE, 0]),
        ("180", [-ONE, 0, 0, -ONE]),
        ("270", [0, -ONE, ONE, 0]),
        ("mirrored", [-ONE, 0, 0, ONE]),
        ("flipped", [ONE, 0, 0, -ONE]),
        ("90-mirrored", [0, ONE, ONE, 0]),
        ("270-mirrored", [0, -ONE, -ONE, 0]),
        ("90-rounded", [1, near, -near, -1]),
        ("180-rounded", [-near, 2, -2, -near]),
        ("90-doubled", [0, 2 * ONE, -2 * ONE, 0]),
        ("halved", [ONE / 2, 0, 0, -ONE / 2]),
    ] {
        let path = folder.write(&format!("{name}.mp4"), &source.clone().matrix(matrix).0);
        assert_as_ffmpeg(name, &path);
    }
    // With a `pasp` box, ffmpeg ignores the scale of the matrix.
    let stretched = source.without(*b"pasp").matrix([ONE * 3 / 2, 0, 0, ONE]);
    assert_as_ffmpeg("stretched", &folder.write("stretched.mp4", &stretched.0));
}

#[test]
fn clips_with_samples_that_are_not_square_have_their_shape() {
    let folder = Folder::new("shape");
    for (name, aspect) in [("wide", "4/3"), ("tall", "8/9"), ("double", "2/1"), ("half", "1/2")] {
        let path = folder.make(&format!("{name}.mp4"), &format!("{SOURCE} -vf setsar={aspect} {ENCODE}"));
        assert_as_ffmpeg(name, &path);
        // The same with the shape in the stream only, in the track header only, and turned.
        let file = File::read(&path);
        let stream = file.clone().without(*b"pasp").displayed(128, 96);
        assert_as_ffmpeg(&format!("{name} in the stream"), &folder.write("stream.mp4", &stream.0));
        let turned = file.matrix([0, ONE, -ONE, 0]);
        assert_as_ffmpeg(&format!("{name} and turned"), &folder.write("turned.mp4", &turned.0));
    }
    let header = source(&folder).without(*b"pasp").displayed(192, 96);
    assert_as_ffmpeg("the shape in the track header", &folder.write("header.mp4", &header.0));
    let path =
        folder.make("wide.y4m", "-f lavfi -i testsrc2=size=96x64:rate=25:duration=0.2 -vf setsar=3/2 -pix_fmt yuv420p");
    assert_as_ffmpeg("Y4M", &path);
}

#[test]
fn edit_lists_are_played_as_ffmpeg_plays_them() {
    let folder = Folder::new("edits");
    let source = source(&folder);
    let cases: [(&str, &[Edit]); 4] = [
        ("delayed", &[(480, PAUSE, ONE), (2_000, at(0), ONE)]),
        ("trimmed", &[(1_000, at(13), ONE)]),
        ("two parts", &[(400, at(10), ONE), (600, at(30), ONE)]),
        ("backwards order", &[(400, at(30), ONE), (600, at(10), ONE)]),
    ];
    for (name, edits) in cases {
        let path = folder.write("edits.mp4", &source.clone().edits(edits).0);
        assert_as_ffmpeg(name, &path);
    }
}

/// Asserts that the edits show these frames of the source at these times, in milliseconds.
fn assert_edits(name: &str, edits: &[Edit], frames: impl Iterator<Item = (usize, u128)>) {
    let folder = Folder::new(name);
    let source = source(&folder);
    let path = folder.write("edits.mp4", &source.edits(edits).0);
    let (frames, times): (Vec<usize>, Vec<u128>) = frames.unzip();
    let clip = Clip::open(&path).expect("a clip");
    assert_eq!((0..clip.len()).map(|show| clip.due(show).as_millis()).collect::<Vec<_>>(), times, "{name}");
    let all = raw(&format!("-i {}", folder.path("source.mp4").display()));
    let all: Vec<_> = all.chunks(128 * 96 * 3 / 2).collect();
    let theirs: Vec<u8> = frames.iter().flat_map(|frame| all[*frame]).copied().collect();
    assert_pictures(name, &pictures(&path), &theirs);
}

// ffmpeg shows wrong times for parts that begin between key frames and for pauses between parts, and ignores the rate. For
// these, the pictures are compared with those that ffmpeg finds in the source.

#[test]
fn parts_that_begin_between_key_frames_show_their_pictures() {
    let edits = [(400, at(5), ONE), (1_000, PAUSE, ONE), (600, at(33), ONE), (200, at(3), ONE)];
    let first = (0..10).map(|index| (5 + index, 40 * index as u128));
    let second = (0..15).map(|index| (33 + index, 1_400 + 40 * index as u128));
    let third = (0..5).map(|index| (3 + index, 2_000 + 40 * index as u128));
    assert_edits("parts", &edits, first.chain(second).chain(third));
}

#[test]
fn edits_at_other_speeds_show_the_pictures_of_the_normal_speed() {
    for (name, rate, duration, interval) in [("fast", 2 * ONE, 500, 20), ("slow", ONE / 2, 2_000, 80)] {
        assert_edits(name, &[(duration, at(0), rate)], (0..25).map(|index| (index, interval * index as u128)));
    }
    let still = [(200, at(0), ONE), (15_000, at(12), 0), (200, at(13), ONE)];
    let moving = (0..5).map(|index| (index, 40 * index as u128));
    let rest = (0..5).map(|index| (13 + index, 15_200 + 40 * index as u128));
    assert_edits("still", &still, moving.chain([(12, 200)]).chain(rest));
}

/// Returns the tick of a frame of the source. The first one is at tick 1024 of 12800 a second, because pictures are
/// reordered.
fn at(frame: i32) -> i32 {
    1_024 + 512 * frame
}

#[test]
fn a_still_of_twelve_seconds_keeps_the_times_of_the_others() {
    let folder = Folder::new("still");
    let still = "-vf setpts=if(gt(N\\,20)\\,PTS+12/TB\\,PTS) -vsync vfr";
    let path = folder.make("still.mp4", &format!("{SOURCE} {still} {ENCODE}"));
    assert_as_ffmpeg("still", &path);
    let slides = "-f lavfi -i testsrc2=size=128x96:rate=1/15:duration=45";
    assert_as_ffmpeg("slides", &folder.make("slides.mp4", &format!("{slides} {ENCODE}")));
}

#[test]
fn clips_that_cannot_be_played_are_refused_with_reason_and_remedy() {
    let folder = Folder::new("refused");
    let backwards = source(&folder).edits(&[(2_000, 1_024, -ONE)]);
    let path = folder.write("backwards.mp4", &backwards.0);
    let refused = |path: &Path| match capture::file::open(path, Clock::default()) {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => error.to_string(),
    };
    let error = refused(&path);
    assert!(error.contains("backwards.mp4") && error.contains("plays backwards"), "{error}");
    let short = "-f lavfi -i testsrc2=size=64x48:rate=25:duration=0.2";
    for (name, arguments, found) in [
        ("ten.mp4", "-pix_fmt yuv420p10le -c:v libx264", "H.264 10 bit"),
        ("fields.mp4", "-pix_fmt yuv420p -c:v libx264 -flags +ilme+ildct", "H.264 interlaced"),
        ("pieces.mp4", "-pix_fmt yuv420p -c:v libx264 -movflags frag_keyframe+empty_moov", "MP4 in fragments"),
        ("clip.mkv", "-pix_fmt yuv420p -c:v libx264", "Matroska/WebM"),
        ("part2.mp4", "-pix_fmt yuv420p -c:v mpeg4", "MPEG-4 Visual"),
    ] {
        let error = refused(&folder.make(name, &format!("{short} {arguments}")));
        assert!(error.contains(found) && error.contains("supported are MP4 with H.264"), "{name}: {error}");
    }
}

/// The colours that a viewer sees, of files that say how their samples are to be converted, and of one that does not.
#[test]
fn clips_have_the_colours_that_ffmpeg_shows() {
    let folder = Folder::new("colours");
    for (name, matrix, full_range) in [
        ("601", Matrix::Bt601, false),
        ("709", Matrix::Bt709, false),
        ("601-full", Matrix::Bt601, true),
        ("709-full", Matrix::Bt709, true),
    ] {
        let (space, filter) = match matrix {
            Matrix::Bt601 => ("smpte170m", "bt601"),
            Matrix::Bt709 => ("bt709", "bt709"),
        };
        let range = if full_range { "pc" } else { "tv" };
        let convert = format!("-vf scale=out_color_matrix={filter}:out_range={range} -pix_fmt yuv420p");
        let tags = format!("-colorspace {space} -color_primaries {space} -color_trc {space} -color_range {range}");
        let encode = "-c:v libx264 -preset veryfast -qp 4 -bf 0";
        let path = folder.make(&format!("{name}.mp4"), &format!("{COLOURS} {convert} {tags} {encode}"));
        let mut clip = Clip::open(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let frame = clip.next(&Pool::new(2)).expect("a picture").expect("a free buffer");
        let frame = frame.freeze(0, Timestamp::default());
        assert_eq!(frame.colour(), Colour { matrix, full_range }, "{name}");
        // Converted once by ffmpeg as the file says, and once by the formulas as the picture says.
        let filter = format!("-vf scale=in_color_matrix={filter}:in_range={range}:flags=neighbor+accurate_rnd");
        let theirs = ffmpeg(&format!("-i {} {filter} -frames:v 1 -pix_fmt rgb24 -f rawvideo -", path.display()));
        let ours = rgb(&frame);
        assert_eq!(ours.len(), theirs.len(), "{name}");
        let ratio = ratio(255.0, ours.into_iter().zip(theirs.into_iter().map(f64::from)));
        assert!(ratio > MIN_RATIO, "{name}: the colours differ from ffmpeg's, {ratio:.1} dB");
    }
}

/// Bars of plain colours, 16 samples wide, so that the filter of the colour planes does not matter.
const COLOURS: &str = "-f lavfi -i rgbtestsrc=size=96x96:rate=5:duration=0.2";

/// Returns R, G and B of each sample in 0..=255 (ITU-R BT.601-7, BT.709-6).
fn rgb(frame: &Frame) -> Vec<f64> {
    let colour = frame.colour();
    let (red, blue) = match colour.matrix {
        Matrix::Bt601 => (0.299, 0.114),
        Matrix::Bt709 => (0.2126, 0.0722),
    };
    let (luma, chroma, black) = if colour.full_range { (255.0, 255.0, 0.0) } else { (219.0, 224.0, 16.0) };
    let plane = |plane| frame.plane(plane).rows().map(<[u8]>::to_vec).collect::<Vec<_>>();
    let [y, u, v] = [Plane::Y, Plane::U, Plane::V].map(plane);
    let mut all = Vec::new();
    for (row, line) in y.iter().enumerate() {
        for (column, sample) in line.iter().enumerate() {
            let bright = (f64::from(*sample) - black) / luma;
            let part = |plane: &[Vec<u8>]| (f64::from(plane[row / 2][column / 2]) - 128.0) / chroma;
            let reddish = bright + 2.0 * (1.0 - red) * part(&v);
            let bluish = bright + 2.0 * (1.0 - blue) * part(&u);
            let greenish = (bright - red * reddish - blue * bluish) / (1.0 - red - blue);
            all.extend([reddish, greenish, bluish].map(|value| (value * 255.0).clamp(0.0, 255.0)));
        }
    }
    all
}

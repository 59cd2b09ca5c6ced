//! A safe wrapper around OpenH264's decoder.
#![expect(unsafe_code, reason = "OpenH264 is a C++ library with a C interface")]

use media::{PlaneRef, Size};
use openh264_sys2::source::APILoader;
use openh264_sys2::{
    DECODER_OPTION_TRACE_LEVEL, ERROR_CON_DISABLE, ISVCDecoder, ISVCDecoderVtbl, SBufferInfo, SDecodingParam,
    SVideoProperty, TagBufferInfo, VIDEO_BITSTREAM_AVC, WELS_LOG_QUIET,
};
use std::ffi::{c_int, c_long, c_void};
use std::ptr::NonNull;

/// A failed call of OpenH264.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("{0} failed with {1}")]
    Call(&'static str, c_long),
    #[error("the library lacks {0}")]
    Missing(&'static str),
    #[error("damaged or incomplete (state {0:#x})")]
    Damaged(c_int),
    #[error("the library returned an invalid picture")]
    Picture,
}

/// A decoder. Destroyed on drop.
pub(super) struct Handle {
    decoder: NonNull<ISVCDecoder>,
    table: ISVCDecoderVtbl,
}

// SAFETY: the decoder has no thread-local state, and `&mut self` excludes concurrent calls.
unsafe impl Send for Handle {}

/// A decoded picture in the decoder's memory. The next call may overwrite it.
pub(super) struct Decoded<'a> {
    pub(super) planes: [PlaneRef<'a>; 3],
    pub(super) size: Size,
}

impl Handle {
    pub(super) fn open() -> Result<Self, Failure> {
        let mut decoder = std::ptr::null_mut();
        // SAFETY: the function writes one pointer to `decoder`.
        let status = unsafe { APILoader::WelsCreateDecoder(&raw mut decoder) };
        let failure = Failure::Call("creating", status);
        let decoder = NonNull::new(decoder).filter(|_| status == 0).ok_or(failure)?;
        // SAFETY: the decoder starts with a pointer to its function table. The pointer is never null, and the table
        // lives as long as the library, which is linked statically.
        let table = unsafe { **decoder.as_ptr() };
        let handle = Self { decoder, table };
        handle.disable_logging()?;
        handle.initialize()?;
        Ok(handle)
    }

    fn disable_logging(&self) -> Result<(), Failure> {
        let set = self.table.SetOption.ok_or(Failure::Missing("SetOption"))?;
        let mut level = WELS_LOG_QUIET;
        let value = (&raw mut level).cast::<c_void>();
        // SAFETY: `decoder` is alive until drop; the option is read as an int, which `level` is.
        let status = unsafe { set(self.decoder.as_ptr(), DECODER_OPTION_TRACE_LEVEL, value) };
        check_status("SetOption", status)
    }

    fn initialize(&self) -> Result<(), Failure> {
        let initialize = self.table.Initialize.ok_or(Failure::Missing("Initialize"))?;
        let size = u32::try_from(size_of::<SVideoProperty>()).unwrap_or(0);
        let parameters = SDecodingParam {
            uiTargetDqLayer: u8::MAX,
            eEcActiveIdc: ERROR_CON_DISABLE,
            sVideoProperty: SVideoProperty { size, eVideoBsType: VIDEO_BITSTREAM_AVC },
            ..SDecodingParam::default()
        };
        // SAFETY: `decoder` is alive until drop; the function copies the parameters.
        let status = unsafe { initialize(self.decoder.as_ptr(), &raw const parameters) };
        check_status("Initialize", status)
    }

    /// Passes units with start codes to the decoder. `None` marks the end of a picture.
    pub(super) fn decode(&mut self, stream: Option<&[u8]>) -> Result<Option<Decoded<'_>>, Failure> {
        let decode = self.table.DecodeFrame2.ok_or(Failure::Missing("DecodeFrame2"))?;
        let (data, length) = stream.map_or((std::ptr::null(), 0), |stream| (stream.as_ptr(), stream.len()));
        let length = c_int::try_from(length).map_err(|_| Failure::Picture)?;
        let mut planes = [std::ptr::null_mut(); 3];
        let mut info = SBufferInfo::default();
        // SAFETY: `decoder` is alive until drop. The function reads `length` bytes of the borrowed stream and writes
        // three pointers and one struct.
        let state = unsafe { decode(self.decoder.as_ptr(), data, length, planes.as_mut_ptr(), &raw mut info) };
        if state != 0 {
            return Err(Failure::Damaged(state));
        }
        decoded(planes, &info)
    }

    /// Returns one delayed picture, or `None` if there is none left.
    pub(super) fn flush(&mut self) -> Result<Option<Decoded<'_>>, Failure> {
        let flush = self.table.FlushFrame.ok_or(Failure::Missing("FlushFrame"))?;
        let mut planes = [std::ptr::null_mut(); 3];
        let mut info = SBufferInfo::default();
        // SAFETY: as for `decode`.
        let state = unsafe { flush(self.decoder.as_ptr(), planes.as_mut_ptr(), &raw mut info) };
        if state != 0 {
            return Err(Failure::Damaged(state));
        }
        decoded(planes, &info)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if let Some(uninitialize) = self.table.Uninitialize {
            // SAFETY: `decoder` is alive; only the destructor is called after this.
            unsafe { uninitialize(self.decoder.as_ptr()) };
        }
        // SAFETY: created by `open` and destroyed only here.
        unsafe { APILoader::WelsDestroyDecoder(self.decoder.as_ptr()) }
    }
}

/// Returns the picture of a call, if there is one. Its pointers are valid until the next call of the decoder, so `'a`
/// must be a borrow of it.
fn decoded<'a>(planes: [*mut u8; 3], info: &TagBufferInfo) -> Result<Option<Decoded<'a>>, Failure> {
    if info.iBufferStatus != 1 || planes.iter().any(|plane| plane.is_null()) {
        return Ok(None);
    }
    // SAFETY: the union has one member.
    let buffer = unsafe { info.UsrData.sSystemBuffer };
    let shown = |side: c_int| u16::try_from(side).map_err(|_| Failure::Picture);
    let size = Size::new(shown(buffer.iWidth)?, shown(buffer.iHeight)?);
    let plane = |data: *mut u8, stride: c_int, size: Size| {
        let stride = usize::try_from(stride).map_err(|_| Failure::Picture)?;
        if size.is_empty() || stride < usize::from(size.width) {
            return Err(Failure::Picture);
        }
        let length = stride * (usize::from(size.height) - 1) + usize::from(size.width);
        // SAFETY: a plane of `size` with rows `stride` bytes apart starts at `data`. It is valid until the next call,
        // and the caller ties it to the borrow of the decoder.
        let data = unsafe { std::slice::from_raw_parts(data, length) };
        Ok(PlaneRef { data, stride, size })
    };
    let [luma, blue, red] = planes;
    let chroma = Size::new(size.width / 2, size.height / 2);
    let planes = [
        plane(luma, buffer.iStride[0], size)?,
        plane(blue, buffer.iStride[1], chroma)?,
        plane(red, buffer.iStride[1], chroma)?,
    ];
    Ok(Some(Decoded { planes, size }))
}

fn check_status(call: &'static str, status: c_long) -> Result<(), Failure> {
    if status == 0 { Ok(()) } else { Err(Failure::Call(call, status)) }
}

//! A safe wrapper around OpenH264's encoder.
#![expect(unsafe_code, reason = "OpenH264 is a C++ library with a C interface")]

use media::{Colour, Matrix, PlaneRef, Size};
use openh264_sys2::source::APILoader;
use openh264_sys2::{
    CAMERA_VIDEO_REAL_TIME, CONSTANT_ID, ENCODER_OPTION, ENCODER_OPTION_BITRATE, ENCODER_OPTION_FRAME_RATE,
    ENCODER_OPTION_SVC_ENCODE_PARAM_EXT, ENCODER_OPTION_TRACE_LEVEL, ISVCEncoder, ISVCEncoderVtbl, LOW_COMPLEXITY,
    PRO_BASELINE, RC_BITRATE_MODE, SBitrateInfo, SCREEN_CONTENT_REAL_TIME, SEncParamExt, SFrameBSInfo, SLayerBSInfo,
    SM_SINGLE_SLICE, SPATIAL_LAYER_ALL, SSourcePicture, VF_UNDEF, VIDEO_CODING_LAYER, WELS_LOG_QUIET, videoFormatI420,
    videoFrameTypeIDR, videoFrameTypeSkip,
};
use std::ffi::{c_int, c_void};
use std::ptr::NonNull;

/// A failed call of OpenH264.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("{0} failed with {1}")]
    Call(&'static str, i32),
    #[error("the library lacks {0}")]
    Missing(&'static str),
    #[error("a plane is smaller than the picture")]
    Plane,
}

/// The parameters of an encoder.
pub(super) struct Settings {
    pub(super) size: Size,
    pub(super) rate: f32,
    pub(super) bitrate: i32,
    pub(super) temporal_layers: u8,
    pub(super) screen: bool,
    pub(super) colour: Colour,
}

/// An encoder. Destroyed on drop.
pub(super) struct Handle {
    encoder: NonNull<ISVCEncoder>,
    table: ISVCEncoderVtbl,
    info: Box<SFrameBSInfo>,
}

// SAFETY: the encoder has no thread-local state, and `&mut self` excludes concurrent calls.
unsafe impl Send for Handle {}

impl Handle {
    pub(super) fn open(settings: &Settings) -> Result<Self, Failure> {
        let mut encoder = std::ptr::null_mut();
        // SAFETY: the function writes one pointer to `encoder`.
        let status = unsafe { APILoader::WelsCreateSVCEncoder(&raw mut encoder) };
        let encoder = NonNull::new(encoder).filter(|_| status == 0).ok_or(Failure::Call("creating", status))?;
        // SAFETY: the encoder starts with a pointer to its function table. The pointer is never null, and the table
        // lives as long as the library, which is linked statically.
        let table = unsafe { **encoder.as_ptr() };
        let mut handle = Self { encoder, table, info: Box::default() };
        handle.set_option(ENCODER_OPTION_TRACE_LEVEL, &mut { WELS_LOG_QUIET })?;
        handle.restart(settings)?;
        Ok(handle)
    }

    /// Restarts the encoder. The next frame is a key frame.
    pub(super) fn restart(&mut self, settings: &Settings) -> Result<(), Failure> {
        let initialize = self.table.InitializeExt.ok_or(Failure::Missing("InitializeExt"))?;
        let mut parameters = self.defaults()?;
        fill(&mut parameters, settings);
        // SAFETY: `encoder` is alive until drop; the function copies the parameters. The library stops a running
        // encoder first.
        let status = unsafe { initialize(self.encoder.as_ptr(), &raw const parameters) };
        check_status("InitializeExt", status)
    }

    /// Changes rates and the number of temporal layers without a key frame. The next picture is of the lowest temporal
    /// layer. The size must not change, and there must not be more temporal layers than at the last
    /// [`Handle::restart`].
    pub(super) fn adjust(&mut self, settings: &Settings) -> Result<(), Failure> {
        let mut parameters = self.defaults()?;
        fill(&mut parameters, settings);
        self.set_option(ENCODER_OPTION_SVC_ENCODE_PARAM_EXT, &mut parameters)
    }

    fn defaults(&mut self) -> Result<SEncParamExt, Failure> {
        let defaults = self.table.GetDefaultParams.ok_or(Failure::Missing("GetDefaultParams"))?;
        let mut parameters = SEncParamExt::default();
        // SAFETY: `encoder` is alive until drop, and the function fills the struct.
        let status = unsafe { defaults(self.encoder.as_ptr(), &raw mut parameters) };
        check_status("GetDefaultParams", status)?;
        Ok(parameters)
    }

    /// Makes the next frame a key frame.
    pub(super) fn force_key(&mut self) -> Result<(), Failure> {
        let declared = self.table.ForceIntraFrame.ok_or(Failure::Missing("ForceIntraFrame"))?;
        // SAFETY: the header declares `ForceIntraFrame(bool bIDR, int iLayerId = -1)`. The binding lacks the second
        // argument, so a call through it would pass an undefined value.
        let force: unsafe extern "C" fn(*mut ISVCEncoder, bool, c_int) -> c_int =
            unsafe { std::mem::transmute(declared) };
        // SAFETY: `encoder` is alive until drop; -1 means all layers.
        let status = unsafe { force(self.encoder.as_ptr(), true, -1) };
        check_status("ForceIntraFrame", status)
    }

    /// Encodes a frame of `size`. The planes may be larger. The result is valid until the next call.
    pub(super) fn encode(
        &mut self,
        planes: [PlaneRef<'_>; 3],
        size: Size,
        milliseconds: u64,
    ) -> Result<Picture<'_>, Failure> {
        let encode = self.table.EncodeFrame.ok_or(Failure::Missing("EncodeFrame"))?;
        let source = source(planes, size, milliseconds)?;
        // SAFETY: `encoder` is alive until drop. `source` points to planes that are borrowed for this call and whose
        // sizes were checked; the library only reads them. It fills `info`.
        let status = unsafe { encode(self.encoder.as_ptr(), &raw const source, &raw mut *self.info) };
        check_status("EncodeFrame", status)?;
        Ok(Picture { info: &self.info })
    }

    pub(super) fn set_bitrate(&mut self, bits: i32) -> Result<(), Failure> {
        self.set_option(ENCODER_OPTION_BITRATE, &mut SBitrateInfo { iLayer: SPATIAL_LAYER_ALL, iBitrate: bits })
    }

    pub(super) fn set_rate(&mut self, mut pictures: f32) -> Result<(), Failure> {
        self.set_option(ENCODER_OPTION_FRAME_RATE, &mut pictures)
    }

    /// Sets an option. `value` must have the type that OpenH264 documents for `option`.
    fn set_option<T>(&mut self, option: ENCODER_OPTION, value: &mut T) -> Result<(), Failure> {
        let set = self.table.SetOption.ok_or(Failure::Missing("SetOption"))?;
        // SAFETY: `encoder` is alive until drop; each caller above passes the documented type.
        let status = unsafe { set(self.encoder.as_ptr(), option, std::ptr::from_mut(value).cast::<c_void>()) };
        check_status("SetOption", status)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: created by `open` and destroyed only here; the library stops the encoder first.
        unsafe { APILoader::WelsDestroySVCEncoder(self.encoder.as_ptr()) }
    }
}

/// An encoded picture in the encoder's memory.
pub(super) struct Picture<'a> {
    info: &'a SFrameBSInfo,
}

impl<'a> Picture<'a> {
    pub(super) fn is_skipped(&self) -> bool {
        self.info.eFrameType == videoFrameTypeSkip || self.layers().is_empty()
    }

    pub(super) fn is_key(&self) -> bool {
        self.info.eFrameType == videoFrameTypeIDR
    }

    pub(super) fn temporal(&self) -> u8 {
        let coded = |layer: &&SLayerBSInfo| c_int::from(layer.uiLayerType) == VIDEO_CODING_LAYER;
        self.layers().iter().find(coded).map_or(0, |layer| layer.uiTemporalId)
    }

    /// Returns the total length of all units, in bytes.
    pub(super) fn length(&self) -> usize {
        self.units().map(<[u8]>::len).sum()
    }

    /// Sequences of NAL units with start codes.
    pub(super) fn units(&self) -> impl Iterator<Item = &'a [u8]> {
        self.layers().iter().map(bytes)
    }

    fn layers(&self) -> &'a [SLayerBSInfo] {
        let count = usize::try_from(self.info.iLayerNum).unwrap_or(0);
        self.info.sLayerInfo.get(..count).unwrap_or(&[])
    }
}

fn bytes(layer: &SLayerBSInfo) -> &[u8] {
    let count = usize::try_from(layer.iNalCount).unwrap_or(0);
    if count == 0 || layer.pNalLengthInByte.is_null() || layer.pBsBuf.is_null() {
        return &[];
    }
    // SAFETY: the library wrote `count` lengths. They are valid until the next call of the encoder, which `Picture`
    // borrows.
    let lengths = unsafe { std::slice::from_raw_parts(layer.pNalLengthInByte, count) };
    let length = lengths.iter().map(|length| usize::try_from(*length).unwrap_or(0)).sum();
    // SAFETY: the units of a layer are contiguous from `pBsBuf` and have the lengths above. They are valid as long as
    // these.
    unsafe { std::slice::from_raw_parts(layer.pBsBuf, length) }
}

fn fill(parameters: &mut SEncParamExt, settings: &Settings) {
    let (width, height) = (c_int::from(settings.size.width), c_int::from(settings.size.height));
    parameters.iUsageType = if settings.screen { SCREEN_CONTENT_REAL_TIME } else { CAMERA_VIDEO_REAL_TIME };
    parameters.iPicWidth = width;
    parameters.iPicHeight = height;
    parameters.iTargetBitrate = settings.bitrate;
    parameters.iRCMode = RC_BITRATE_MODE;
    parameters.fMaxFrameRate = settings.rate;
    parameters.iTemporalLayerNum = c_int::from(settings.temporal_layers);
    parameters.iSpatialLayerNum = 1;
    parameters.iComplexityMode = LOW_COMPLEXITY;
    // Zero would limit the range to 12..=42, and complex scenes would exceed low bitrates.
    parameters.iMinQp = MIN_QUANTIZER;
    parameters.iMaxQp = MAX_QUANTIZER;
    // Key frames only on request, always with the same parameter set ids.
    parameters.uiIntraPeriod = 0;
    parameters.eSpsPpsIdStrategy = CONSTANT_ID;
    parameters.iMultipleThreadIdc = 1;
    parameters.bEnableFrameSkip = false;
    // No key frame at scene changes of a camera, because it needs more bits than a large inter frame.
    parameters.bEnableSceneChangeDetect = settings.screen;
    parameters.bEnableBackgroundDetection = !settings.screen;
    parameters.bEnableAdaptiveQuant = false;
    let layer = &mut parameters.sSpatialLayers[0];
    layer.iVideoWidth = width;
    layer.iVideoHeight = height;
    layer.fFrameRate = settings.rate;
    layer.iSpatialBitrate = settings.bitrate;
    layer.uiProfileIdc = PRO_BASELINE;
    layer.sSliceArgument.uiSliceMode = SM_SINGLE_SLICE;
    layer.bVideoSignalTypePresent = true;
    layer.uiVideoFormat = VF_UNDEF.to_le_bytes()[0];
    layer.bFullRange = settings.colour.full_range;
    layer.bColorDescriptionPresent = true;
    // Primaries, transfer and matrix use the same numbers for these two (ITU-T H.264 tables E-3 to E-5).
    let description = match settings.colour.matrix {
        Matrix::Bt709 => 1,
        Matrix::Bt601 => 6,
    };
    layer.uiColorPrimaries = description;
    layer.uiTransferCharacteristics = description;
    layer.uiColorMatrix = description;
}

fn source(planes: [PlaneRef<'_>; 3], size: Size, milliseconds: u64) -> Result<SSourcePicture, Failure> {
    let mut source = SSourcePicture {
        iColorFormat: videoFormatI420,
        iPicWidth: c_int::from(size.width),
        iPicHeight: c_int::from(size.height),
        uiTimeStamp: i64::try_from(milliseconds).unwrap_or(i64::MAX),
        ..SSourcePicture::default()
    };
    for (index, (plane, size)) in planes.into_iter().zip([size, size.chroma(), size.chroma()]).enumerate() {
        let rows = usize::from(size.height).saturating_sub(1);
        if plane.stride < usize::from(size.width) || plane.data.len() < plane.stride * rows + usize::from(size.width) {
            return Err(Failure::Plane);
        }
        source.pData[index] = plane.data.as_ptr().cast_mut();
        source.iStride[index] = c_int::try_from(plane.stride).map_err(|_| Failure::Plane)?;
    }
    Ok(source)
}

/// A lower quantizer would only encode camera noise.
const MIN_QUANTIZER: c_int = 12;
const MAX_QUANTIZER: c_int = 51;

fn check_status(call: &'static str, status: c_int) -> Result<(), Failure> {
    if status == 0 { Ok(()) } else { Err(Failure::Call(call, status)) }
}

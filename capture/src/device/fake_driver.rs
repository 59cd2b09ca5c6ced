//! A fake camera driver for tests. It implements nokhwa's back-end trait with the errors of V4L2 or Media Foundation;
//! the code above that trait is the code that runs with real devices.

use super::host::Host;
use nokhwa::camera_traits::CaptureBackendTrait;
use nokhwa::utils::{
    ApiBackend, CameraControl, CameraFormat, CameraIndex, CameraInfo, ControlValueSetter, FrameFormat,
    KnownCameraControl, RequestedFormat, Resolution,
};
use nokhwa::{Buffer, Camera, NokhwaError};
use std::borrow::Cow;
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

/// The system whose errors and behaviour the driver imitates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    V4l2,
    MediaFoundation,
}

/// A fault of a camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It works.
    None,
    /// Another program uses it; opening fails.
    TakenOnOpen,
    /// Another program uses it; opening succeeds, and reading a frame fails.
    TakenOnRead,
    /// The system denies access.
    Denied,
    /// nokhwa panics when it reads a frame and when it closes the camera.
    Panics,
}

/// A connected camera.
#[derive(Clone, Debug)]
pub struct FakeCamera {
    pub index: u32,
    pub name: &'static str,
    pub offers: Vec<CameraFormat>,
    /// Formats that are listed but cannot be set.
    pub refuses: Vec<CameraFormat>,
    pub fault: Fault,
    /// The bytes of each frame.
    pub picture: Vec<u8>,
}

impl FakeCamera {
    /// A working camera: grey YUYV of 32x16 at 30 frames per second.
    pub fn new(index: u32, name: &'static str) -> Self {
        let format = CameraFormat::new(Resolution::new(32, 16), FrameFormat::YUYV, 30);
        let picture = vec![128; 32 * 16 * 2];
        Self { index, name, offers: vec![format], refuses: Vec::new(), fault: Fault::None, picture }
    }
}

/// A host with fake cameras. Clones share the state.
#[derive(Clone)]
pub struct FakeHost {
    system: System,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// The connected cameras, each with a number that no camera had before.
    cameras: Vec<(u64, FakeCamera)>,
    last_serial: u64,
    open: usize,
}

impl FakeHost {
    /// Creates a host without cameras.
    pub fn new(system: System) -> Self {
        Self { system, state: Arc::default() }
    }

    /// Connects a camera. It is listed last.
    pub fn plug(&self, camera: FakeCamera) {
        let mut state = self.state();
        state.last_serial += 1;
        let serial = state.last_serial;
        state.cameras.push((serial, camera));
    }

    /// Disconnects every camera, also open ones.
    pub fn unplug(&self) {
        self.state().cameras.clear();
    }

    /// Sets the fault of every camera.
    pub fn set_fault(&self, fault: Fault) {
        self.state().cameras.iter_mut().for_each(|(_, camera)| camera.fault = fault);
    }

    /// The number of open cameras.
    pub fn open_handles(&self) -> usize {
        self.state().open
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn error_text(&self, number: i32, code: u32) -> String {
        match self.system {
            System::V4l2 => io::Error::from_raw_os_error(number).to_string(),
            // A message in the system's language precedes the code.
            System::MediaFoundation => format!("Un périphérique ne répond pas. ({code:#010X})"),
        }
    }

    fn gone(&self) -> String {
        self.error_text(19, 0xC00D_3EA2)
    }

    fn taken(&self) -> String {
        self.error_text(16, 0xC00D_3704)
    }

    fn denied(&self) -> String {
        self.error_text(13, 0x8007_0005)
    }
}

impl Host for FakeHost {
    fn cameras(&self) -> Result<Vec<CameraInfo>, NokhwaError> {
        let info =
            |(_, camera): &(u64, FakeCamera)| CameraInfo::new(camera.name, "", "", CameraIndex::Index(camera.index));
        Ok(self.state().cameras.iter().map(info).collect())
    }

    fn open(&self, index: CameraIndex, request: RequestedFormat<'_>) -> Result<Camera, NokhwaError> {
        let found = self.state().cameras.iter().find(|(_, camera)| CameraIndex::Index(camera.index) == index).cloned();
        let open = |error| NokhwaError::OpenDeviceError(index.to_string(), error);
        let (serial, camera) = found.ok_or_else(|| open(self.error_text(2, 0xC00D_36D5)))?;
        match camera.fault {
            Fault::TakenOnOpen => return Err(open(self.taken())),
            Fault::Denied => return Err(open(self.denied())),
            Fault::None | Fault::TakenOnRead | Fault::Panics => {}
        }
        let format = request.fulfill(&camera.offers).ok_or_else(|| self.lacks_format())?;
        self.state().open += 1;
        let info = CameraInfo::new(camera.name, "", "", index.clone());
        let handle = Handle { host: self.clone(), serial, info, format, streaming: false };
        Ok(Camera::with_custom(index, ApiBackend::Auto, Box::new(handle)))
    }
}

impl FakeHost {
    fn lacks_format(&self) -> NokhwaError {
        match self.system {
            System::V4l2 => {
                NokhwaError::GetPropertyError { property: "CameraFormat".into(), error: "Failed to Fufill".into() }
            }
            System::MediaFoundation => NokhwaError::InitializeError {
                backend: ApiBackend::MediaFoundation,
                error: "Failed to fulfill requested format".into(),
            },
        }
    }
}

struct Handle {
    host: FakeHost,
    serial: u64,
    info: CameraInfo,
    format: CameraFormat,
    streaming: bool,
}

impl Handle {
    fn camera(&self) -> Result<FakeCamera, String> {
        let state = self.host.state();
        let found = state.cameras.iter().find(|(serial, _)| *serial == self.serial);
        found.map(|(_, camera)| camera.clone()).ok_or_else(|| self.host.gone())
    }

    fn offers(&self) -> Result<Vec<CameraFormat>, NokhwaError> {
        let error = |error| NokhwaError::GetPropertyError { property: "FrameFormat".into(), error };
        Ok(self.camera().map_err(error)?.offers)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.host.state().open -= 1;
    }
}

/// The result of functions that the code under test does not call.
fn not_implemented<T>() -> Result<T, NokhwaError> {
    Err(NokhwaError::NotImplementedError("fake driver".into()))
}

impl CaptureBackendTrait for Handle {
    fn backend(&self) -> ApiBackend {
        ApiBackend::Auto
    }

    fn camera_info(&self) -> &CameraInfo {
        &self.info
    }

    fn refresh_camera_format(&mut self) -> Result<(), NokhwaError> {
        self.offers()?;
        if self.host.system == System::MediaFoundation {
            // nokhwa 0.10 returns the denominator of MF_MT_FRAME_RATE.
            self.format.set_frame_rate(1);
        }
        Ok(())
    }

    fn camera_format(&self) -> CameraFormat {
        self.format
    }

    fn set_camera_format(&mut self, wanted: CameraFormat) -> Result<(), NokhwaError> {
        let camera = self.camera().map_err(NokhwaError::GeneralError)?;
        if camera.refuses.contains(&wanted) || !camera.offers.contains(&wanted) {
            let (property, value, error) = ("CameraFormat".into(), wanted.to_string(), "Rejected".into());
            return Err(NokhwaError::SetPropertyError { property, value, error });
        }
        self.format = wanted;
        Ok(())
    }

    fn compatible_list_by_resolution(
        &mut self,
        kind: FrameFormat,
    ) -> Result<HashMap<Resolution, Vec<u32>>, NokhwaError> {
        let mut found: HashMap<Resolution, Vec<u32>> = HashMap::new();
        for format in self.offers()?.into_iter().filter(|format| format.format() == kind) {
            found.entry(format.resolution()).or_default().push(format.frame_rate());
        }
        if found.is_empty() && self.host.system == System::V4l2 {
            let error = io::Error::from_raw_os_error(22).to_string();
            return Err(NokhwaError::GetPropertyError { property: "Resolutions".into(), error });
        }
        Ok(found)
    }

    fn compatible_fourcc(&mut self) -> Result<Vec<FrameFormat>, NokhwaError> {
        let mut kinds: Vec<_> = self.offers()?.iter().map(CameraFormat::format).collect();
        kinds.dedup();
        if self.host.system == System::MediaFoundation {
            // nokhwa 0.10 lists only two formats.
            kinds.truncate(2);
        }
        Ok(kinds)
    }

    fn resolution(&self) -> Resolution {
        self.format.resolution()
    }

    fn set_resolution(&mut self, _: Resolution) -> Result<(), NokhwaError> {
        not_implemented()
    }

    fn frame_rate(&self) -> u32 {
        self.format.frame_rate()
    }

    fn set_frame_rate(&mut self, _: u32) -> Result<(), NokhwaError> {
        not_implemented()
    }

    fn frame_format(&self) -> FrameFormat {
        self.format.format()
    }

    fn set_frame_format(&mut self, _: FrameFormat) -> Result<(), NokhwaError> {
        not_implemented()
    }

    fn camera_control(&self, _: KnownCameraControl) -> Result<CameraControl, NokhwaError> {
        not_implemented()
    }

    fn camera_controls(&self) -> Result<Vec<CameraControl>, NokhwaError> {
        not_implemented()
    }

    fn set_camera_control(&mut self, _: KnownCameraControl, _: ControlValueSetter) -> Result<(), NokhwaError> {
        not_implemented()
    }

    fn open_stream(&mut self) -> Result<(), NokhwaError> {
        self.camera().map_err(NokhwaError::OpenStreamError)?;
        self.streaming = true;
        Ok(())
    }

    fn is_stream_open(&self) -> bool {
        self.streaming
    }

    fn frame(&mut self) -> Result<Buffer, NokhwaError> {
        not_implemented()
    }

    fn frame_raw(&mut self) -> Result<Cow<'_, [u8]>, NokhwaError> {
        assert!(self.streaming, "read before the stream was started");
        let camera = self.camera().map_err(NokhwaError::ReadFrameError)?;
        match camera.fault {
            Fault::None => Ok(Cow::Owned(camera.picture)),
            Fault::TakenOnOpen | Fault::TakenOnRead => Err(NokhwaError::ReadFrameError(self.host.taken())),
            Fault::Denied => Err(NokhwaError::ReadFrameError(self.host.denied())),
            Fault::Panics => panic!("the fake driver panics"),
        }
    }

    fn stop_stream(&mut self) -> Result<(), NokhwaError> {
        self.streaming = false;
        match self.camera().map(|camera| camera.fault) {
            // nokhwa's drop unwraps this result.
            Ok(Fault::Panics) => Err(NokhwaError::StreamShutdownError(self.host.taken())),
            _ => Ok(()),
        }
    }
}

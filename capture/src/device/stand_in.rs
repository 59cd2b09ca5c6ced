//! A machine whose cameras are plugged in, taken and pulled out at will. It speaks as nokhwa does on V4L2 or on Media
//! Foundation; everything above nokhwa's own trait is the code that runs on devices.

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

/// Whose messages and habits a stand-in has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    V4l2,
    MediaFoundation,
}

/// What happens to whoever wants pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing.
    None,
    /// Another program has it, and the system says so when it is opened.
    TakenAtOnce,
    /// Another program has it, and the system says so when the first picture is asked for.
    TakenLater,
    /// The system does not allow it.
    Denied,
    /// The library panics while it reads, and again while it closes.
    Panics,
}

/// Something plugged in.
#[derive(Clone, Debug)]
pub struct Plugged {
    pub index: u32,
    pub name: &'static str,
    pub offers: Vec<CameraFormat>,
    /// Formats that are offered and then not set.
    pub refuses: Vec<CameraFormat>,
    pub trouble: Trouble,
    /// What each of its pictures is made of.
    pub picture: Vec<u8>,
}

impl Plugged {
    /// A camera that works: YUYV of 32 x 16, 30 a second, grey.
    pub fn new(index: u32, name: &'static str) -> Self {
        let format = CameraFormat::new(Resolution::new(32, 16), FrameFormat::YUYV, 30);
        let picture = vec![128; 32 * 16 * 2];
        Self { index, name, offers: vec![format], refuses: Vec::new(), trouble: Trouble::None, picture }
    }
}

/// The machine. Clones share it.
#[derive(Clone)]
pub struct Machine {
    system: System,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    cameras: Vec<(u64, Plugged)>,
    plugs: u64,
    open: usize,
}

impl Machine {
    /// A machine without cameras.
    pub fn new(system: System) -> Self {
        Self { system, state: Arc::default() }
    }

    /// Plugs a camera in. The system lists it last.
    pub fn plug(&self, camera: Plugged) {
        let mut state = self.state();
        state.plugs += 1;
        let serial = state.plugs;
        state.cameras.push((serial, camera));
    }

    /// Pulls every camera out, also those that run.
    pub fn unplug(&self) {
        self.state().cameras.clear();
    }

    /// Changes what happens to whoever wants pictures of any camera.
    pub fn trouble(&self, trouble: Trouble) {
        self.state().cameras.iter_mut().for_each(|(_, camera)| camera.trouble = trouble);
    }

    /// How many handles are open.
    pub fn open_handles(&self) -> usize {
        self.state().open
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn says(&self, number: i32, code: u32) -> String {
        match self.system {
            System::V4l2 => io::Error::from_raw_os_error(number).to_string(),
            // The system's own sentence stands before the code, in whatever language it speaks.
            System::MediaFoundation => format!("Un périphérique ne répond pas. ({code:#010X})"),
        }
    }

    fn gone(&self) -> String {
        self.says(19, 0xC00D_3EA2)
    }

    fn taken(&self) -> String {
        self.says(16, 0xC00D_3704)
    }

    fn denied(&self) -> String {
        self.says(13, 0x8007_0005)
    }
}

impl Host for Machine {
    fn cameras(&self) -> Result<Vec<CameraInfo>, NokhwaError> {
        let info =
            |(_, camera): &(u64, Plugged)| CameraInfo::new(camera.name, "", "", CameraIndex::Index(camera.index));
        Ok(self.state().cameras.iter().map(info).collect())
    }

    fn open(&self, index: CameraIndex, request: RequestedFormat<'_>) -> Result<Camera, NokhwaError> {
        let found = self.state().cameras.iter().find(|(_, camera)| CameraIndex::Index(camera.index) == index).cloned();
        let open = |error| NokhwaError::OpenDeviceError(index.to_string(), error);
        let (serial, camera) = found.ok_or_else(|| open(self.says(2, 0xC00D_36D5)))?;
        match camera.trouble {
            Trouble::TakenAtOnce => return Err(open(self.taken())),
            Trouble::Denied => return Err(open(self.denied())),
            Trouble::None | Trouble::TakenLater | Trouble::Panics => {}
        }
        let format = request.fulfill(&camera.offers).ok_or_else(|| self.lacks_format())?;
        self.state().open += 1;
        let info = CameraInfo::new(camera.name, "", "", index.clone());
        let handle = Handle { machine: self.clone(), serial, info, format, streaming: false };
        Ok(Camera::with_custom(index, ApiBackend::Auto, Box::new(handle)))
    }
}

impl Machine {
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
    machine: Machine,
    serial: u64,
    info: CameraInfo,
    format: CameraFormat,
    streaming: bool,
}

impl Handle {
    fn camera(&self) -> Result<Plugged, String> {
        let state = self.machine.state();
        let found = state.cameras.iter().find(|(serial, _)| *serial == self.serial);
        found.map(|(_, camera)| camera.clone()).ok_or_else(|| self.machine.gone())
    }

    fn offers(&self) -> Result<Vec<CameraFormat>, NokhwaError> {
        let error = |error| NokhwaError::GetPropertyError { property: "FrameFormat".into(), error };
        Ok(self.camera().map_err(error)?.offers)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.machine.state().open -= 1;
    }
}

/// What cameras here are never asked.
fn unused<T>() -> Result<T, NokhwaError> {
    Err(NokhwaError::NotImplementedError("stand-in".into()))
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
        if self.machine.system == System::MediaFoundation {
            // nokhwa 0.10 reads the lower half of MF_MT_FRAME_RATE, which is the denominator.
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
        if found.is_empty() && self.machine.system == System::V4l2 {
            let error = io::Error::from_raw_os_error(22).to_string();
            return Err(NokhwaError::GetPropertyError { property: "Resolutions".into(), error });
        }
        Ok(found)
    }

    fn compatible_fourcc(&mut self) -> Result<Vec<FrameFormat>, NokhwaError> {
        let mut kinds: Vec<_> = self.offers()?.iter().map(CameraFormat::format).collect();
        kinds.dedup();
        if self.machine.system == System::MediaFoundation {
            // nokhwa 0.10 stops after two.
            kinds.truncate(2);
        }
        Ok(kinds)
    }

    fn resolution(&self) -> Resolution {
        self.format.resolution()
    }

    fn set_resolution(&mut self, _: Resolution) -> Result<(), NokhwaError> {
        unused()
    }

    fn frame_rate(&self) -> u32 {
        self.format.frame_rate()
    }

    fn set_frame_rate(&mut self, _: u32) -> Result<(), NokhwaError> {
        unused()
    }

    fn frame_format(&self) -> FrameFormat {
        self.format.format()
    }

    fn set_frame_format(&mut self, _: FrameFormat) -> Result<(), NokhwaError> {
        unused()
    }

    fn camera_control(&self, _: KnownCameraControl) -> Result<CameraControl, NokhwaError> {
        unused()
    }

    fn camera_controls(&self) -> Result<Vec<CameraControl>, NokhwaError> {
        unused()
    }

    fn set_camera_control(&mut self, _: KnownCameraControl, _: ControlValueSetter) -> Result<(), NokhwaError> {
        unused()
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
        unused()
    }

    fn frame_raw(&mut self) -> Result<Cow<'_, [u8]>, NokhwaError> {
        assert!(self.streaming, "read before it was started");
        let camera = self.camera().map_err(NokhwaError::ReadFrameError)?;
        match camera.trouble {
            Trouble::None => Ok(Cow::Owned(camera.picture)),
            Trouble::TakenAtOnce | Trouble::TakenLater => Err(NokhwaError::ReadFrameError(self.machine.taken())),
            Trouble::Denied => Err(NokhwaError::ReadFrameError(self.machine.denied())),
            Trouble::Panics => panic!("a driver that confuses the library"),
        }
    }

    fn stop_stream(&mut self) -> Result<(), NokhwaError> {
        self.streaming = false;
        match self.camera().map(|camera| camera.trouble) {
            // nokhwa's own drop unwraps this.
            Ok(Trouble::Panics) => Err(NokhwaError::StreamShutdownError(self.machine.taken())),
            _ => Ok(()),
        }
    }
}

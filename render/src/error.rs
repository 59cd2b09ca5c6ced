//! Errors of this crate.

/// Why nothing can be drawn.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// wgpu found no adapter. The caller uses [`crate::cpu`] instead.
    #[error("no graphics adapter: this machine offers neither Vulkan, Direct3D 12, Metal nor OpenGL ES ({0})")]
    NoAdapter(String),
    /// The adapter could not be opened.
    #[error("the graphics adapter {name} could not be opened: {reason}")]
    Device {
        /// The adapter name from the driver.
        name: String,
        /// The driver's message.
        reason: String,
    },
    /// The font files contain no usable face.
    #[error("the font contains no usable face")]
    Font,
    /// The target size is empty or larger than the adapter supports.
    #[error("cannot draw a picture of {width}x{height} (at most {max} on a side)")]
    Size {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// The adapter's limit for either side.
        max: u32,
    },
    /// The device was lost, or did not finish drawing in time.
    #[error("the graphics device did not return the picture: {0}")]
    ReadBack(String),
}

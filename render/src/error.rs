//! What can go wrong before the first picture is drawn.

/// Why nothing can be drawn.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The machine offers no way to draw by wgpu: the caller takes [`crate::cpu`] instead.
    #[error("no graphics adapter: this machine offers neither Vulkan, Direct3D 12, Metal nor OpenGL ES ({0})")]
    NoAdapter(String),
    /// An adapter is there and refused to be opened.
    #[error("the graphics adapter {name} could not be opened: {reason}")]
    Device {
        /// The adapter, as its driver calls it.
        name: String,
        /// The driver's words.
        reason: String,
    },
    /// The bytes given as a font hold no usable face.
    #[error("the font holds no usable face")]
    Font,
    /// The picture asked for is empty or larger than the adapter can draw.
    #[error("cannot draw a picture of {width}x{height} (at most {most} on a side)")]
    Size {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
        /// The adapter's limit on either.
        most: u32,
    },
    /// The device was lost, or did not finish drawing in time.
    #[error("the graphics device did not give the picture back: {0}")]
    ReadBack(String),
}

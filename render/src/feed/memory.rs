//! The memory of one picture: ordinary memory, or mapped staging memory of a device.

use super::Layout;

/// Memory that moves between a feed, a lease and a stage.
pub(crate) struct Memory {
    pub bytes: Bytes,
    /// The feed's generation when this was allocated.
    pub generation: u64,
}

/// The storage of the samples.
pub(crate) enum Bytes {
    /// Ordinary memory.
    Plain(Vec<u8>),
    /// A staging buffer. The view exists while a thread writes. The buffer is mapped until a stage takes it.
    Mapped(wgpu::Buffer, Option<wgpu::BufferViewMut>),
}

impl Memory {
    pub fn new(device: Option<&wgpu::Device>, generation: u64, layout: Layout) -> Self {
        let bytes = match device {
            Some(device) => Bytes::Mapped(staging(device, layout), None),
            None => Bytes::Plain(vec![0; layout.length as usize]),
        };
        Self { bytes, generation }
    }

    /// True if a picture of `layout` fits and uses at least an eighth of the memory.
    pub fn fits(&self, layout: Layout) -> bool {
        let has = match &self.bytes {
            Bytes::Plain(bytes) => bytes.len() as u64,
            Bytes::Mapped(buffer, _) => buffer.size(),
        };
        let needs = u64::from(layout.length);
        has >= needs && has <= needs * 8
    }

    pub fn is_mapped(&self) -> bool {
        matches!(self.bytes, Bytes::Mapped(..))
    }

    /// Creates the view for writing.
    pub fn map_view(mut self) -> Self {
        if let Bytes::Mapped(buffer, view) = &mut self.bytes {
            *view = Some(buffer.get_mapped_range_mut(..));
        }
        self
    }

    /// Drops the view, so that the buffer can be unmapped.
    pub fn unmap_view(mut self) -> Self {
        if let Bytes::Mapped(_, view) = &mut self.bytes {
            *view = None;
        }
        self
    }

    /// The bytes to write.
    ///
    /// # Panics
    /// Panics if there is no view. A lease always has one.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        match &mut self.bytes {
            Bytes::Plain(bytes) => bytes,
            Bytes::Mapped(_, view) => view.as_mut().expect("a leased buffer has a view"),
        }
    }
}

fn staging(device: &wgpu::Device, layout: Layout) -> wgpu::Buffer {
    device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("picture"),
        size: u64::from(layout.length),
        usage: wgpu::BufferUsages::MAP_WRITE | wgpu::BufferUsages::COPY_SRC,
        mapped_at_creation: true,
    })
}

//! One picture's memory: mapped staging memory of a device, or plain.

use super::Layout;

/// Memory that goes between a feed's shelf, a lease and a stage.
pub(crate) struct Memory {
    pub bytes: Bytes,
    /// The feed's count of devices when this was made.
    pub generation: u64,
}

/// Where the samples lie.
pub(crate) enum Bytes {
    /// Ordinary memory.
    Plain(Vec<u8>),
    /// A staging buffer; the view is there while a thread writes, and the buffer is mapped until a stage takes it.
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

    /// True where a picture of `layout` fits and does not waste most of the memory.
    pub fn suits(&self, layout: Layout) -> bool {
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

    /// Ready to be written.
    pub fn opened(mut self) -> Self {
        if let Bytes::Mapped(buffer, view) = &mut self.bytes {
            *view = Some(buffer.get_mapped_range_mut(..));
        }
        self
    }

    /// Written: from here on the buffer may be unmapped.
    pub fn closed(mut self) -> Self {
        if let Bytes::Mapped(_, view) = &mut self.bytes {
            *view = None;
        }
        self
    }

    /// What is to be written.
    ///
    /// # Panics
    /// Never, once opened.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        match &mut self.bytes {
            Bytes::Plain(bytes) => bytes,
            Bytes::Mapped(_, view) => view.as_mut().expect("opened when it was leased"),
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

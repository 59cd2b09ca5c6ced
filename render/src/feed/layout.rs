//! The memory layout of a picture: NV12, with rows aligned for GPU copies.

use media::{PlaneMut, PlaneRef, Size};

/// Offsets and strides, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub size: Size,
    pub luma_stride: u32,
    pub chroma_stride: u32,
    pub chroma_offset: u32,
    pub length: u32,
}

impl Layout {
    /// The layout for `size`. Returns `None` if it is empty or larger than a texture.
    pub fn of(size: Size) -> Option<Self> {
        if size.is_empty() || size.width > MAX_SIDE || size.height > MAX_SIDE {
            return None;
        }
        let luma_stride = u32::from(size.width).next_multiple_of(ROW_ALIGNMENT);
        let chroma_stride = (2 * u32::from(size.chroma().width)).next_multiple_of(ROW_ALIGNMENT);
        let chroma_offset = luma_stride * u32::from(size.height);
        let length = chroma_offset + chroma_stride * u32::from(size.chroma().height);
        Some(Self { size, luma_stride, chroma_stride, chroma_offset, length })
    }

    pub fn planes_mut(self, bytes: &mut [u8]) -> [PlaneMut<'_>; 2] {
        let (luma, chroma) = bytes.split_at_mut(self.chroma_offset as usize);
        [
            PlaneMut { data: luma, stride: self.luma_stride as usize, size: self.size },
            PlaneMut { data: chroma, stride: self.chroma_stride as usize, size: self.interleaved() },
        ]
    }

    pub fn planes(self, bytes: &[u8]) -> [PlaneRef<'_>; 2] {
        let (luma, chroma) = bytes.split_at(self.chroma_offset as usize);
        [
            PlaneRef { data: luma, stride: self.luma_stride as usize, size: self.size },
            PlaneRef { data: chroma, stride: self.chroma_stride as usize, size: self.interleaved() },
        ]
    }

    fn interleaved(self) -> Size {
        let chroma = self.size.chroma();
        Size::new(2 * chroma.width, chroma.height)
    }
}

/// The row alignment of wgpu copies, in bytes.
const ROW_ALIGNMENT: u32 = wgpu::COPY_BYTES_PER_ROW_ALIGNMENT;

/// The maximum texture size with wgpu's default limits.
const MAX_SIDE: u16 = 8192;

//! Datagrams that the system has received at once, and which it may have joined (UDP GRO).

use webrtc::runtime::RecvMeta;

/// Removes from `buffer` the datagrams for which `keep` returns false. A buffer has one datagram, or several of `meta.stride` bytes, of
/// which the last one may be shorter. Returns false if nothing is left: an empty datagram means nothing to the stack.
pub fn retain_datagrams(buffer: &mut [u8], meta: &mut RecvMeta, mut keep: impl FnMut(&[u8]) -> bool) -> bool {
    let end = meta.len.min(buffer.len());
    let stride = meta.stride.clamp(1, end.max(1));
    let (mut from, mut kept) = (0, 0);
    while from < end {
        let to = end.min(from + stride);
        if keep(&buffer[from..to]) {
            if kept < from {
                buffer.copy_within(from..to, kept);
            }
            kept += to - from;
        }
        from = to;
    }
    (meta.len, meta.stride) = (kept, stride.min(kept));
    kept > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what is left of `buffer` without the datagrams that begin with 9, and its stride.
    fn retained(buffer: &[u8], stride: usize) -> (Vec<u8>, usize) {
        let mut meta = RecvMeta::default();
        (meta.len, meta.stride) = (buffer.len(), stride);
        let mut buffer = buffer.to_vec();
        let is_left = retain_datagrams(&mut buffer, &mut meta, |datagram| datagram[0] != 9);
        assert_eq!(is_left, meta.len > 0);
        (buffer[..meta.len].to_vec(), meta.stride)
    }

    #[test]
    fn each_joined_datagram_is_kept_or_removed_alone() {
        assert_eq!(retained(&[1, 1, 2, 2, 3], 2), (vec![1, 1, 2, 2, 3], 2));
        assert_eq!(retained(&[1, 1, 9, 9, 3], 2), (vec![1, 1, 3], 2));
        assert_eq!(retained(&[9, 1, 2, 2, 9], 2), (vec![2, 2], 2));
        assert_eq!(retained(&[9, 1, 9, 2, 3], 2), (vec![3], 1));
        assert_eq!(retained(&[9, 1, 9, 2, 9], 2), (vec![], 0));
        assert_eq!(retained(&[1, 9, 9], 3), (vec![1, 9, 9], 3));
        assert_eq!(retained(&[], 0), (vec![], 0));
    }
}

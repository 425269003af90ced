//! [`Buffer`]: the bytes of a body as they arrive.

use bytes::Bytes;

/// Keeps a body: a single frame without a copy, several joined.
pub(crate) struct Buffer {
    /// The first frame, if it may be the whole body.
    first: Bytes,
    joined: Vec<u8>,
    limit: usize,
    declared: usize,
    overflowed: bool,
}

/// The buffer reserves at most twice the bytes received, plus this.
const SLACK: usize = 64 * 1024;

impl Buffer {
    /// `declared` comes from the sender, and is trusted only in proportion to the bytes received.
    pub(crate) fn new(limit: usize, declared: Option<u64>) -> Self {
        let declared = declared.and_then(|length| usize::try_from(length).ok());
        Self {
            first: Bytes::new(),
            joined: Vec::new(),
            limit,
            declared: declared.unwrap_or(0),
            overflowed: false,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.first.len().saturating_add(self.joined.len())
    }

    /// Whether a frame did not fit, so that the body is incomplete.
    pub(crate) fn overflowed(&self) -> bool {
        self.overflowed
    }

    /// Adds a frame, and says whether it still fits. `hash` gets every byte once and in order,
    /// except for a first frame that may be the whole body: it gets that when there is a second.
    pub(crate) fn push(&mut self, frame: Bytes, mut hash: impl FnMut(&[u8])) -> bool {
        let needed = self.len().saturating_add(frame.len());
        self.overflowed |= needed > self.limit;
        if self.overflowed {
            return false;
        }
        if frame.is_empty() {
            return true;
        }
        if needed == frame.len() && frame.len() >= self.declared {
            self.first = frame;
            return true;
        }
        if self.joined.capacity() < needed {
            let room = self.room_for(needed);
            self.joined
                .reserve_exact(room.saturating_sub(self.joined.len()));
        }
        if !self.first.is_empty() {
            let first = std::mem::take(&mut self.first);
            hash(&first);
            self.joined.extend_from_slice(&first);
        }
        hash(&frame);
        self.joined.extend_from_slice(&frame);
        true
    }

    /// The capacity to reserve when `needed` bytes have arrived.
    fn room_for(&self, needed: usize) -> usize {
        let most = needed.saturating_mul(2).saturating_add(SLACK);
        let wanted = if self.declared >= needed {
            self.declared
        } else {
            needed.saturating_mul(2).max(1024)
        };
        wanted.min(most).min(self.limit.max(needed))
    }

    /// Takes the whole body.
    pub(crate) fn take(&mut self) -> Bytes {
        if self.joined.is_empty() {
            std::mem::take(&mut self.first)
        } else {
            std::mem::take(&mut self.joined).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_frame_is_kept_as_it_is() {
        let frame = Bytes::from(vec![7; 100]);
        let mut buffer = Buffer::new(1000, None);
        assert!(buffer.push(Bytes::new(), |_| panic!("it may be the whole body")));
        assert!(buffer.push(frame.clone(), |_| panic!("it may be the whole body")));
        assert!(buffer.push(Bytes::new(), |_| panic!("it may be the whole body")));
        assert_eq!(buffer.take().as_ptr(), frame.as_ptr());
    }

    #[test]
    fn reserved_memory_follows_what_arrived_and_not_what_was_declared() {
        for declared in [None, Some(0), Some(5), Some(1 << 20), Some(u64::MAX)] {
            for size in [1, 1000, 16 * 1024] {
                let mut buffer = Buffer::new(usize::MAX, declared);
                let mut received = 0;
                while received < 1 << 20 {
                    buffer.push(Bytes::from(vec![1; size]), |_| ());
                    received += size;
                    assert!(
                        buffer.joined.capacity() <= 2 * received + SLACK,
                        "{declared:?} {received}"
                    );
                }
                assert_eq!(buffer.take().len(), received);
            }
        }
    }

    #[test]
    fn growth_is_amortised() {
        let mut buffer = Buffer::new(usize::MAX, None);
        let mut moves = 0;
        let mut before = 0;
        for _ in 0..1 << 20 {
            buffer.push(Bytes::from_static(b"x"), |_| ());
            moves += usize::from(buffer.joined.capacity() != before);
            before = buffer.joined.capacity();
        }
        assert!(moves <= 12, "{moves}");
    }

    #[test]
    fn a_declared_length_is_reserved_once_when_it_is_near() {
        let mut buffer = Buffer::new(1 << 20, Some(60_000));
        for _ in 0..60 {
            buffer.push(Bytes::from(vec![1; 1000]), |_| ());
            assert_eq!(buffer.joined.capacity(), 60_000);
        }
    }

    #[test]
    fn every_byte_of_several_frames_is_hashed_once_and_in_order() {
        let body: Vec<u8> = (0..=255).cycle().take(10_000).collect();
        for declared in [None, Some(10_000), Some(5000), Some(20_000)] {
            for size in [1, 999, 4000, 9999] {
                let mut buffer = Buffer::new(usize::MAX, declared);
                let mut hashed = Vec::new();
                for frame in body.chunks(size) {
                    let frame = Bytes::copy_from_slice(frame);
                    buffer.push(frame, |bytes| hashed.extend_from_slice(bytes));
                }
                assert_eq!(hashed, body, "{declared:?} {size}");
                assert_eq!(buffer.take(), body);
            }
        }
    }

    #[test]
    fn the_limit_is_exact() {
        let mut buffer = Buffer::new(10, None);
        assert!(buffer.push(Bytes::from_static(b"12345"), |_| ()));
        assert!(buffer.push(Bytes::from_static(b"67890"), |_| ()));
        assert!(!buffer.overflowed());
        assert_eq!(buffer.take(), "1234567890");
        let mut buffer = Buffer::new(10, None);
        assert!(buffer.push(Bytes::from_static(b"12345"), |_| ()));
        assert!(!buffer.push(Bytes::from_static(b"678901"), |_| ()));
        // What was refused stays missing, even if a later frame would fit.
        assert!(!buffer.push(Bytes::from_static(b"67890"), |_| ()));
        assert!(buffer.overflowed());
        assert!(!Buffer::new(0, None).push(Bytes::from_static(b"x"), |_| ()));
    }
}

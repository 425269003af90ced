//! The bytes of a body as they arrive.

use bytes::Bytes;

/// Keeps the frames of one body: one frame as it is, several in one run of memory.
pub(super) struct Buffer {
    frames: Frames,
    limit: usize,
    declared: usize,
}

enum Frames {
    None,
    One(Bytes),
    Many(Vec<u8>),
}

/// Memory reserved is never more than twice what was received, and this.
const SLACK: usize = 64 * 1024;

impl Buffer {
    /// `declared` is what the sender says, and is trusted only as far as bytes have arrived.
    pub(super) fn new(limit: usize, declared: Option<u64>) -> Self {
        let declared = declared.and_then(|length| usize::try_from(length).ok());
        Self {
            frames: Frames::None,
            limit,
            declared: declared.unwrap_or(0),
        }
    }

    fn len(&self) -> usize {
        self.as_slice().len()
    }

    /// Whether `frame` is known not to be the whole body.
    pub(super) fn goes_on_after(&self, frame: &[u8]) -> bool {
        self.len() > 0 || self.declared > frame.len()
    }

    /// What has arrived.
    pub(super) fn as_slice(&self) -> &[u8] {
        match &self.frames {
            Frames::None => &[],
            Frames::One(frame) => frame,
            Frames::Many(bytes) => bytes,
        }
    }

    /// Gives the frame back if it still fits.
    pub(super) fn admit(&self, frame: Bytes) -> Option<Bytes> {
        let total = self.len().checked_add(frame.len())?;
        (total <= self.limit).then_some(frame)
    }

    /// Keeps a frame that was admitted.
    pub(super) fn push(&mut self, frame: Bytes) {
        if frame.is_empty() {
            return;
        }
        let needed = self.len().saturating_add(frame.len());
        let room = self.room_for(needed);
        self.frames = match std::mem::replace(&mut self.frames, Frames::None) {
            Frames::None => Frames::One(frame),
            Frames::One(first) => {
                let mut bytes = Vec::with_capacity(room);
                bytes.extend_from_slice(&first);
                bytes.extend_from_slice(&frame);
                Frames::Many(bytes)
            }
            Frames::Many(mut bytes) => {
                if bytes.capacity() < needed {
                    bytes.reserve_exact(room.saturating_sub(bytes.len()));
                }
                bytes.extend_from_slice(&frame);
                Frames::Many(bytes)
            }
        };
    }

    /// How much to reserve when `needed` bytes have arrived.
    fn room_for(&self, needed: usize) -> usize {
        let most = needed.saturating_mul(2).saturating_add(SLACK);
        let wanted = if self.declared >= needed {
            self.declared
        } else {
            needed.saturating_mul(2).max(1024)
        };
        wanted.min(most).min(self.limit.max(needed))
    }

    /// All of it, which is then no longer here.
    pub(super) fn take(&mut self) -> Bytes {
        match std::mem::replace(&mut self.frames, Frames::None) {
            Frames::None => Bytes::new(),
            Frames::One(frame) => frame,
            Frames::Many(bytes) => bytes.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capacity(buffer: &Buffer) -> usize {
        match &buffer.frames {
            Frames::Many(bytes) => bytes.capacity(),
            _ => 0,
        }
    }

    #[test]
    fn one_frame_is_kept_as_it_is() {
        let frame = Bytes::from(vec![7; 100]);
        let mut buffer = Buffer::new(1000, None);
        buffer.push(Bytes::new());
        buffer.push(frame.clone());
        buffer.push(Bytes::new());
        assert_eq!(buffer.take().as_ptr(), frame.as_ptr());
    }

    #[test]
    fn reserved_memory_follows_what_arrived_and_not_what_was_declared() {
        for declared in [None, Some(0), Some(5), Some(1 << 20), Some(u64::MAX)] {
            for size in [1, 1000, 16 * 1024] {
                let mut buffer = Buffer::new(usize::MAX, declared);
                let mut received = 0;
                while received < 1 << 20 {
                    buffer.push(Bytes::from(vec![1; size]));
                    received += size;
                    assert!(
                        capacity(&buffer) <= 2 * received + SLACK,
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
            buffer.push(Bytes::from_static(b"x"));
            moves += usize::from(capacity(&buffer) != before);
            before = capacity(&buffer);
        }
        assert!(moves <= 12, "{moves}");
    }

    #[test]
    fn a_declared_length_is_reserved_once_when_it_is_near() {
        let mut buffer = Buffer::new(1 << 20, Some(60_000));
        for _ in 0..60 {
            buffer.push(Bytes::from(vec![1; 1000]));
            assert!([0, 60_000].contains(&capacity(&buffer)));
        }
    }

    #[test]
    fn the_limit_is_exact() {
        let mut buffer = Buffer::new(10, None);
        for frame in [6, 4] {
            let frame = buffer.admit(Bytes::from(vec![0; frame])).unwrap();
            buffer.push(frame);
        }
        assert!(buffer.admit(Bytes::from_static(b"x")).is_none());
        assert!(buffer.admit(Bytes::new()).is_some());
    }
}

//! The bytes of a body as they arrive.

use std::mem;

use bytes::Bytes;
use smallvec::SmallVec;

/// Keeps the frames of one body: one frame as it is, several in one run of memory.
pub(super) struct Buffer {
    frames: Frames,
    limit: usize,
    declared: usize,
}

enum Frames {
    /// The first ones as they are, at most [`KEPT`].
    Kept(SmallVec<[Bytes; 1]>),
    Joined(Vec<u8>),
}

/// Memory reserved is never more than twice what was received, and this.
const SLACK: usize = 64 * 1024;

/// Growing memory is moved, and new pages cost as much as a hash. Servers read more each time, so that after so many frames there
/// is mostly enough to reserve the rest at once.
const KEPT: usize = 8;

/// Long enough for a hash to be at its full speed, short enough for the processor to have both in flight. A power of two, and a
/// multiple of every block.
const PIECE: usize = 1024;

impl Buffer {
    /// `declared` is what the sender says, and is trusted only as far as bytes have arrived.
    pub(super) fn new(limit: usize, declared: Option<u64>) -> Self {
        let declared = declared.and_then(|length| usize::try_from(length).ok());
        Self {
            frames: Frames::Kept(SmallVec::new()),
            limit,
            declared: declared.unwrap_or(0),
        }
    }

    pub(super) fn len(&self) -> usize {
        match &self.frames {
            Frames::Kept(frames) => frames.iter().map(Bytes::len).sum(),
            Frames::Joined(bytes) => bytes.len(),
        }
    }

    /// Gives the frame back if it still fits.
    pub(super) fn admit(&self, frame: Bytes) -> Option<Bytes> {
        let total = self.len().checked_add(frame.len())?;
        (total <= self.limit).then_some(frame)
    }

    /// Keeps a frame that was admitted. `hash` takes every byte once and in order, but for a first frame that may be all of the
    /// body: that it takes when there is a second. It says how many it has taken in all, with what it had before the body.
    pub(super) fn push(&mut self, frame: Bytes, mut hash: impl FnMut(&[u8]) -> usize) {
        if frame.is_empty() {
            return;
        }
        let needed = self.len().saturating_add(frame.len());
        let room = self.room_for(needed);
        let mut joined = match &mut self.frames {
            Frames::Joined(bytes) => mem::take(bytes),
            Frames::Kept(frames) => {
                if let [first] = &**frames
                    && first.len() >= self.declared
                {
                    hash(first);
                }
                let is_all = frames.is_empty() && frame.len() >= self.declared;
                // Where it is not known how much comes, few bytes alone: what is kept and joined at the end is there twice.
                let waits = match self.declared {
                    0 => needed <= SLACK,
                    declared => room < declared,
                };
                if is_all || (waits && frames.len() < KEPT) {
                    if !is_all {
                        hash(&frame);
                    }
                    frames.push(frame);
                    return;
                }
                let mut joined = Vec::with_capacity(room);
                for frame in mem::take(frames) {
                    joined.extend_from_slice(&frame);
                }
                joined
            }
        };
        if joined.capacity() < needed {
            joined.reserve_exact(room.saturating_sub(joined.len()));
        }
        // While a hash waits for its own last step, the processor moves what it has read. A piece ends where a block of the
        // hash does: half a block costs as much as a whole one.
        let mut taken = hash(&[]);
        let mut rest = &*frame;
        while !rest.is_empty() {
            let end = PIECE.saturating_sub(taken & (PIECE - 1));
            let (piece, after) = match rest.split_at_checked(end) {
                Some(cut) if rest.len() > PIECE => cut,
                _ => (rest, &[][..]),
            };
            taken = hash(piece);
            joined.extend_from_slice(piece);
            rest = after;
        }
        self.frames = Frames::Joined(joined);
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
        match mem::replace(&mut self.frames, Frames::Kept(SmallVec::new())) {
            Frames::Joined(bytes) => bytes.into(),
            Frames::Kept(mut frames) if frames.len() < 2 => frames.pop().unwrap_or_default(),
            Frames::Kept(frames) => frames.concat().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capacity(buffer: &Buffer) -> usize {
        match &buffer.frames {
            Frames::Joined(bytes) => bytes.capacity(),
            _ => 0,
        }
    }

    #[test]
    fn one_frame_is_kept_as_it_is() {
        let frame = Bytes::from(vec![7; 100]);
        let mut buffer = Buffer::new(1000, None);
        buffer.push(Bytes::new(), |_| 0);
        buffer.push(frame.clone(), |_| 0);
        buffer.push(Bytes::new(), |_| 0);
        assert_eq!(buffer.take().as_ptr(), frame.as_ptr());
    }

    #[test]
    fn reserved_memory_follows_what_arrived_and_not_what_was_declared() {
        for declared in [None, Some(0), Some(5), Some(1 << 20), Some(u64::MAX)] {
            for size in [1, 1000, 16 * 1024] {
                let mut buffer = Buffer::new(usize::MAX, declared);
                let mut received = 0;
                while received < 1 << 20 {
                    buffer.push(Bytes::from(vec![1; size]), |_| 0);
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
            buffer.push(Bytes::from_static(b"x"), |_| 0);
            moves += usize::from(capacity(&buffer) != before);
            before = capacity(&buffer);
        }
        assert!(moves <= 12, "{moves}");
    }

    #[test]
    fn a_declared_length_is_reserved_once_when_it_is_near() {
        let mut buffer = Buffer::new(1 << 20, Some(60_000));
        for _ in 0..60 {
            buffer.push(Bytes::from(vec![1; 1000]), |_| 0);
            assert_eq!(capacity(&buffer), 60_000);
        }
    }

    #[test]
    fn frames_that_grow_as_a_servers_do_are_joined_once() {
        let mut buffer = Buffer::new(usize::MAX, Some(1 << 20));
        let mut left = 1 << 20;
        for doubled in 13.. {
            let size = left.min(1 << doubled);
            buffer.push(Bytes::from(vec![1; size]), |_| 0);
            assert!([0, 1 << 20].contains(&capacity(&buffer)));
            left -= size;
            if left == 0 {
                break;
            }
        }
        assert_eq!(buffer.take().len(), 1 << 20);
    }

    #[test]
    fn large_frames_of_a_length_that_is_not_known_are_joined_as_they_come() {
        for declared in [None, Some(0), Some(5)] {
            let mut buffer = Buffer::new(usize::MAX, declared);
            for _ in 0..3 {
                buffer.push(Bytes::from(vec![1; SLACK]), |_| 0);
            }
            assert!(capacity(&buffer) >= 3 * SLACK, "{declared:?}");
        }
    }

    #[test]
    fn every_byte_of_several_frames_is_hashed_once_and_in_order() {
        let body: Vec<u8> = (0..=255).cycle().take(10_000).collect();
        for declared in [None, Some(10_000), Some(5000), Some(20_000)] {
            for size in [1, 999, PIECE, 4000, 9999] {
                let mut buffer = Buffer::new(usize::MAX, declared);
                let mut seen = b"ahead".to_vec();
                for frame in body.chunks(size) {
                    let frame = Bytes::copy_from_slice(frame);
                    buffer.push(frame, |piece| {
                        seen.extend_from_slice(piece);
                        seen.len()
                    });
                }
                assert_eq!(&seen[5..], body, "{declared:?} {size}");
                assert_eq!(buffer.take(), body);
            }
        }
    }

    #[test]
    fn the_limit_is_exact() {
        let mut buffer = Buffer::new(10, None);
        for frame in [6, 4] {
            let frame = buffer.admit(Bytes::from(vec![0; frame])).unwrap();
            buffer.push(frame, |_| 0);
        }
        assert!(buffer.admit(Bytes::from_static(b"x")).is_none());
        assert!(buffer.admit(Bytes::new()).is_some());
    }
}

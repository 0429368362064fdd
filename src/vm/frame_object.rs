//! Frames as objects: a picture of where a frame stands, taken when somebody asks. Frames themselves are data of the machine; a picture
//! knows the function, the line and, for one that runs, its callers, but neither variables nor what comes later.

use std::rc::Rc;

use super::Vm;
use super::coroutine::{Resumable, State};
use super::frame::Activation;
use super::traceback::CodeInfo;
use crate::value::{Payload, Shared, Value, Visitor};

/// The payload of a frame object.
pub struct FrameObject {
    pub info: Rc<CodeInfo>,
    pub line: u32,
    /// The frame that called it, or `None`.
    pub back: Shared<Value>,
}

impl Payload for FrameObject {
    crate::native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.back.with(|back| visitor.value(back));
    }

    fn clear(&self) {
        self.back.set(Value::None);
    }
}

/// The payload of what a frame has as its code.
pub struct FrameCode(pub Rc<CodeInfo>);

impl Payload for FrameCode {
    crate::native_kind!();
    const CONTAINER: bool = false;

    fn trace(&self, _visitor: &mut Visitor<'_>) {}
}

/// More frames than this are not pictured.
const MOST: usize = 1024;

impl Vm {
    /// A frame object.
    pub fn frame_object(&self, info: &Rc<CodeInfo>, line: u32, back: Value) -> Value {
        Value::from(self.heap.alloc(FrameObject { info: info.clone(), line, back: Shared::new(back) }))
    }

    /// The running frame behind so many others, with its callers. Frames that cannot be told are left out.
    pub fn running_frame(&self, skip: usize) -> Option<Value> {
        let frames = self.running_frames(skip.saturating_add(MOST));
        let known: Vec<_> = frames.into_iter().flatten().skip(skip).collect();
        let mut found = None;
        for frame in known.into_iter().rev() {
            found = Some(self.frame_object(&frame.info, frame.line(), found.unwrap_or(Value::None)));
        }
        found
    }

    /// The frame of a generator or coroutine; `None` when it has ended, or stands where nobody can tell.
    pub fn frame_of(&self, inner: &Resumable) -> Value {
        match inner.state.get() {
            State::Closed | State::Joined => Value::None,
            State::Created | State::Suspended => inner
                .with_stack(|stack| match stack.frames().first() {
                    Some(Activation::Script(frame)) => Some((frame.code.info.clone(), frame.line())),
                    _ => None,
                })
                .map_or(Value::None, |(info, line)| self.frame_object(&info, line, Value::None)),
            State::Running => {
                let Some(code) = inner.code() else { return Value::None };
                let frames = self.running_frames(MOST);
                let Some(at) = frames.iter().rposition(|frame| frame.as_ref().is_some_and(|f| Rc::ptr_eq(&f.info, &code.info)))
                else {
                    return self.frame_object(&code.info, code.info.first_line, Value::None);
                };
                self.running_frame(frames[..at].iter().flatten().count()).unwrap_or(Value::None)
            }
        }
    }

    /// The line at which a coroutine stands: of its own frame, whatever that awaits.
    pub fn line_of(&self, inner: &Resumable) -> Option<(Rc<CodeInfo>, u32)> {
        let frame = self.frame_of(inner);
        let frame = frame.downcast::<FrameObject>()?;
        Some((frame.info.clone(), frame.line))
    }
}

//! front door

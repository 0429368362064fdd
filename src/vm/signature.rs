//! Signatures of native functions: parsed from script syntax at first need, they bind arguments to parameters.

/// The parameters of a native function.
pub struct Signature {
    pub parameters: Vec<Parameter>,
}

/// One parameter.
pub struct Parameter {
    pub name: String,
}

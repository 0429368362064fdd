//! Type parameters and aliases (PEP 695): objects of the `typing` module, which is imported when the first is made.

use crate::syntax::Span;
use crate::value::{R, Raised, Ref, Str, Value};
use crate::vm::Vm;
use crate::vm::function::Args;
use crate::vm::node::{Node, Tree};

/// Which class of `typing` a type parameter is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TypeParamName {
    TypeVar,
    ParamSpec,
    TypeVarTuple,
}

/// `T`, `T: bound`, `**P`, `*Ts`.
pub struct MakeTypeParam {
    pub kind: TypeParamName,
    pub name: Ref<Str>,
    /// A function that evaluates the bound.
    pub bound: Option<Tree>,
    pub span: Span,
}

impl Node for MakeTypeParam {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        let class = match self.kind {
            TypeParamName::TypeVar => "TypeVar",
            TypeParamName::ParamSpec => "ParamSpec",
            TypeParamName::TypeVarTuple => "TypeVarTuple",
        };
        let bound = match &self.bound {
            Some(bound) => Some(bound.eval(vm, l)?),
            None => None,
        };
        let make = || {
            let class = from_typing(vm, class)?;
            let mut keywords: Vec<(Ref<Str>, Value)> = Vec::new();
            if self.kind == TypeParamName::TypeVar {
                keywords.push((vm.intern("infer_variance"), Value::TRUE));
            }
            let name = [Value::from(&self.name)];
            let made = vm.call_with(&class, Args { positional: &name, keywords: &keywords })?;
            if let Some(bound) = bound {
                // It is evaluated when somebody asks for it.
                vm.call_method(&made, &vm.intern("_set_lazy_bound"), &[bound])?;
            }
            if self.kind == TypeParamName::ParamSpec {
                vm.set_attr(&made, &vm.intern("__infer_variance__"), Value::TRUE)?;
            }
            Ok(made)
        };
        make().map_err(|Raised| vm.at(self.span))
    }
}

/// `type Name[T] = value`.
pub struct MakeTypeAlias {
    pub name: Ref<Str>,
    /// A function that evaluates the value.
    pub value: Tree,
    pub type_params: Option<Tree>,
    pub span: Span,
}

impl Node for MakeTypeAlias {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        let value = self.value.eval(vm, l)?;
        let params = match &self.type_params {
            Some(tree) => tree.eval(vm, l)?,
            None => Value::from(vm.heap.tuple(Vec::new())),
        };
        let make = || {
            let class = from_typing(vm, "_LazyTypeAlias")?;
            vm.call(&class, &[Value::from(&self.name), value, params])
        };
        make().map_err(|Raised| vm.at(self.span))
    }
}

impl Vm {
    /// `Generic[params]`: the base that type parameters give a class.
    pub(super) fn generic_base(&self, params: &Value) -> R {
        let generic = from_typing(self, "Generic")?;
        self.get_item(&generic, params)
    }
}

fn from_typing(vm: &Vm, name: &str) -> R {
    let module = vm.import("typing", None, 0)?;
    vm.get_attr(&module, &vm.intern(name))
}

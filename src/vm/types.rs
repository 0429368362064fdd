//! The classes of the language itself, by name: `vm.types.int`, `vm.types.value_error`.
//!
//! They are made bare, in the order of these tables, when an interpreter is made; `builtins/` then fills in their methods.

use std::rc::Rc;

use crate::value::{Base, Class, FIXED_KINDS, Heap, Kind, Names, Ref, Shared};

macro_rules! types {
    (
        basic { $($basic:ident = $basic_name:literal, $base:expr;)* }
        exceptions { $($exc:ident = $exc_name:literal < $parent:ident;)* }
    ) => {
        /// The classes of the language itself.
        pub struct Types {
            $(pub $basic: Ref<Class>,)*
            $(pub $exc: Ref<Class>,)*
            /// Classes by the class index of their objects' payload.
            by_index: Shared<Vec<Option<Ref<Class>>>>,
        }

        impl Types {
            pub(super) fn new(heap: &Heap, names: &Names) -> Types {
                let make = |name: &str, base: Base, parents: &[&Ref<Class>]| bare_class(heap, names, name, base, parents);
                let object = make("object", Base::Object, &[]);
                $(let $basic = if stringify!($basic) == "object" { object.clone() } else {
                    make($basic_name, $base, &[&object])
                };)*
                $(let $exc = make($exc_name, Base::Exception, &[&$parent]);)*
                let types = Types { $($basic,)* $($exc,)* by_index: Shared::new(vec![None; FIXED_KINDS as usize]) };
                types.number();
                derive(&types.bool_, &[&types.int]);
                derive(&types.exception_group, &[&types.base_exception_group, &types.exception]);
                types
            }

            /// All of them, with the names they have in scripts.
            pub fn each(&self, mut visit: impl FnMut(&Ref<Class>)) {
                $(visit(&self.$basic);)*
                $(visit(&self.$exc);)*
            }

            /// The exception classes, which are all built-in names.
            pub fn each_exception(&self, mut visit: impl FnMut(&'static str, &Ref<Class>)) {
                $(visit($exc_name, &self.$exc);)*
            }
        }
    };
}

const fn kind(kind: Kind) -> Base {
    Base::Payload(kind as u16)
}

types! {
    basic {
        object = "object", Base::Object;
        type_ = "type", Base::Class;
        none = "NoneType", kind(Kind::Free);
        not_implemented = "NotImplementedType", kind(Kind::Free);
        ellipsis = "ellipsis", kind(Kind::Free);
        int = "int", kind(Kind::BigInt);
        bool_ = "bool", kind(Kind::BigInt);
        float = "float", kind(Kind::Free);
        complex = "complex", kind(Kind::Complex);
        str = "str", kind(Kind::Str);
        bytes = "bytes", kind(Kind::Bytes);
        bytearray = "bytearray", kind(Kind::ByteArray);
        tuple = "tuple", kind(Kind::Tuple);
        list = "list", kind(Kind::List);
        dict = "dict", kind(Kind::Dict);
        set = "set", kind(Kind::Set);
        frozenset = "frozenset", kind(Kind::FrozenSet);
        range = "range", kind(Kind::Range);
        slice = "slice", kind(Kind::Slice);
        function = "function", kind(Kind::Function);
        native_function = "builtin_function_or_method", kind(Kind::NativeFunction);
        method_descriptor = "method_descriptor", kind(Kind::NativeFunction);
        wrapper_descriptor = "wrapper_descriptor", kind(Kind::NativeFunction);
        method_wrapper = "method-wrapper", kind(Kind::BoundMethod);
        method = "method", kind(Kind::BoundMethod);
        cell = "cell", kind(Kind::Cell);
        code = "code", kind(Kind::Code);
        generator = "generator", kind(Kind::Generator);
        coroutine = "coroutine", kind(Kind::Coroutine);
        async_generator = "async_generator", kind(Kind::AsyncGenerator);
        module = "module", kind(Kind::Module);
        property = "property", kind(Kind::Property);
        staticmethod = "staticmethod", kind(Kind::StaticMethod);
        classmethod = "classmethod", kind(Kind::ClassMethod);
        super_ = "super", kind(Kind::Super);
        mappingproxy = "mappingproxy", kind(Kind::MappingProxy);
        traceback = "traceback", kind(Kind::Traceback);
    }
    exceptions {
        base_exception = "BaseException" < object;
        exception = "Exception" < base_exception;
        base_exception_group = "BaseExceptionGroup" < base_exception;
        exception_group = "ExceptionGroup" < base_exception_group;
        generator_exit = "GeneratorExit" < base_exception;
        keyboard_interrupt = "KeyboardInterrupt" < base_exception;
        system_exit = "SystemExit" < base_exception;
        arithmetic_error = "ArithmeticError" < exception;
        floating_point_error = "FloatingPointError" < arithmetic_error;
        overflow_error = "OverflowError" < arithmetic_error;
        zero_division_error = "ZeroDivisionError" < arithmetic_error;
        assertion_error = "AssertionError" < exception;
        attribute_error = "AttributeError" < exception;
        buffer_error = "BufferError" < exception;
        eof_error = "EOFError" < exception;
        import_error = "ImportError" < exception;
        module_not_found_error = "ModuleNotFoundError" < import_error;
        lookup_error = "LookupError" < exception;
        index_error = "IndexError" < lookup_error;
        key_error = "KeyError" < lookup_error;
        memory_error = "MemoryError" < exception;
        name_error = "NameError" < exception;
        unbound_local_error = "UnboundLocalError" < name_error;
        os_error = "OSError" < exception;
        blocking_io_error = "BlockingIOError" < os_error;
        child_process_error = "ChildProcessError" < os_error;
        connection_error = "ConnectionError" < os_error;
        broken_pipe_error = "BrokenPipeError" < connection_error;
        connection_aborted_error = "ConnectionAbortedError" < connection_error;
        connection_refused_error = "ConnectionRefusedError" < connection_error;
        connection_reset_error = "ConnectionResetError" < connection_error;
        file_exists_error = "FileExistsError" < os_error;
        file_not_found_error = "FileNotFoundError" < os_error;
        interrupted_error = "InterruptedError" < os_error;
        is_a_directory_error = "IsADirectoryError" < os_error;
        not_a_directory_error = "NotADirectoryError" < os_error;
        permission_error = "PermissionError" < os_error;
        process_lookup_error = "ProcessLookupError" < os_error;
        timeout_error = "TimeoutError" < os_error;
        reference_error = "ReferenceError" < exception;
        runtime_error = "RuntimeError" < exception;
        not_implemented_error = "NotImplementedError" < runtime_error;
        recursion_error = "RecursionError" < runtime_error;
        stop_async_iteration = "StopAsyncIteration" < exception;
        stop_iteration = "StopIteration" < exception;
        syntax_error = "SyntaxError" < exception;
        indentation_error = "IndentationError" < syntax_error;
        tab_error = "TabError" < indentation_error;
        system_error = "SystemError" < exception;
        type_error = "TypeError" < exception;
        value_error = "ValueError" < exception;
        unicode_error = "UnicodeError" < value_error;
        unicode_decode_error = "UnicodeDecodeError" < unicode_error;
        unicode_encode_error = "UnicodeEncodeError" < unicode_error;
        unicode_translate_error = "UnicodeTranslateError" < unicode_error;
        warning = "Warning" < exception;
        bytes_warning = "BytesWarning" < warning;
        deprecation_warning = "DeprecationWarning" < warning;
        encoding_warning = "EncodingWarning" < warning;
        future_warning = "FutureWarning" < warning;
        import_warning = "ImportWarning" < warning;
        pending_deprecation_warning = "PendingDeprecationWarning" < warning;
        resource_warning = "ResourceWarning" < warning;
        runtime_warning = "RuntimeWarning" < warning;
        syntax_warning = "SyntaxWarning" < warning;
        unicode_warning = "UnicodeWarning" < warning;
        user_warning = "UserWarning" < warning;
    }
}

/// A class without attributes whose single or no base is given.
pub(crate) fn bare_class(heap: &Heap, names: &Names, name: &str, base: Base, parents: &[&Ref<Class>]) -> Ref<Class> {
    let class = heap.alloc(Class::new(names.intern(heap, name), heap.dict(), base, false));
    let mut mro = vec![class.clone()];
    if let Some(parent) = parents.first() {
        mro.extend(parent.mro.get().iter().cloned());
        parent.has_derived.set(true);
    }
    class.bases.set(parents.iter().map(|&parent| parent.clone()).collect::<Rc<[_]>>());
    class.mro.set(mro.into());
    class
}

/// Sets the bases of a class whose bases are not linear as the table has them. Its linearised bases are those of the bases, one
/// after the other, which is right for the few classes of the language that need it.
fn derive(class: &Ref<Class>, bases: &[&Ref<Class>]) {
    let mut mro = vec![class.clone()];
    for base in bases {
        mro.push((*base).clone());
        base.has_derived.set(true);
    }
    for base in bases {
        for inherited in base.mro.get().iter() {
            mro.retain(|known| !known.is(inherited) || bases.iter().any(|base| base.is(known)));
            if !mro.iter().any(|known| known.is(inherited)) {
                mro.push(inherited.clone());
            }
        }
    }
    class.bases.set(bases.iter().map(|&base| base.clone()).collect::<Rc<[_]>>());
    class.mro.set(mro.into());
}

impl Types {
    /// Enters the classes whose index is their kind.
    fn number(&self) {
        let enter = |kind: Kind, class: &Ref<Class>| self.set_at(kind as u16, class.clone());
        enter(Kind::Str, &self.str);
        enter(Kind::BigInt, &self.int);
        enter(Kind::Complex, &self.complex);
        enter(Kind::Bytes, &self.bytes);
        enter(Kind::ByteArray, &self.bytearray);
        enter(Kind::Tuple, &self.tuple);
        enter(Kind::List, &self.list);
        enter(Kind::Dict, &self.dict);
        enter(Kind::Set, &self.set);
        enter(Kind::FrozenSet, &self.frozenset);
        enter(Kind::Range, &self.range);
        enter(Kind::Slice, &self.slice);
        enter(Kind::Function, &self.function);
        enter(Kind::NativeFunction, &self.native_function);
        enter(Kind::BoundMethod, &self.method);
        enter(Kind::Cell, &self.cell);
        enter(Kind::Code, &self.code);
        enter(Kind::Generator, &self.generator);
        enter(Kind::Coroutine, &self.coroutine);
        enter(Kind::AsyncGenerator, &self.async_generator);
        enter(Kind::Module, &self.module);
        enter(Kind::Property, &self.property);
        enter(Kind::StaticMethod, &self.staticmethod);
        enter(Kind::ClassMethod, &self.classmethod);
        enter(Kind::Super, &self.super_);
        enter(Kind::MappingProxy, &self.mappingproxy);
        enter(Kind::Traceback, &self.traceback);
    }

    /// The class of objects with this class index, if it has been made.
    #[inline]
    pub fn at(&self, index: u16) -> Option<Ref<Class>> {
        self.by_index.with(|table| table.get(index as usize).cloned().flatten())
    }

    /// Enters the class of a library or host type.
    pub fn set_at(&self, index: u16, class: Ref<Class>) {
        let old = self.by_index.with_mut(|table| {
            if table.len() <= index as usize {
                table.resize(index as usize + 1, None);
            }
            table[index as usize].replace(class)
        });
        drop(old);
    }
}

// The part of TorchSharp's surface that build/torchsharp uses, without anything behind it: the signatures of 0.99.6, which later versions only widen by optional parameters.
// Shows in builds without TorchSharp that the sources are added and compile. What they do is for tests/TorchSharp.Tests to show, with the real one.
#pragma warning disable
using System;
using System.Collections.Generic;

namespace TorchSharp
{
    public enum DeviceType { CPU = 0, CUDA = 1 }

    public static class torch
    {
        public enum ScalarType : sbyte { Byte = 0, Int8 = 1, Int16 = 2, Int32 = 3, Int64 = 4, Float16 = 5, Float32 = 6, Float64 = 7, Bool = 11, BFloat16 = 15 }

        public class Device
        {
        }

        public static Tensor empty(long[] size, ScalarType? dtype = null, Device device = null, bool requires_grad = false, string[] names = null) => throw null;

        public static IDisposable no_grad() => throw null;

        public partial class Tensor : IDisposable
        {
            public Span<byte> bytes { get => throw null; set => throw null; }
            public long[] shape => throw null;
            public ScalarType dtype => throw null;
            public DeviceType device_type => throw null;
            public Device device => throw null;
            public long numel() => throw null;
            public bool is_contiguous() => throw null;
            public Tensor contiguous() => throw null;
            public Tensor cpu() => throw null;
            public Tensor detach() => throw null;
            public Tensor t() => throw null;
            public Tensor mm(Tensor target) => throw null;
            public Tensor view(params long[] shape) => throw null;
            public Tensor narrow(long dim, long start, long length) => throw null;
            public Tensor to(Device device) => throw null;
            public Tensor to_type(ScalarType type, bool copy = false) => throw null;
            public Tensor copy_(Tensor source, bool nonBlocking = false) => throw null;
            public void Dispose() => throw null;
        }

        public static class nn
        {
            public class Module : IDisposable
            {
                protected Module(string name) => throw null;
                protected virtual void RegisterComponents() => throw null;
                public virtual IEnumerable<(string name, Module module)> named_children() => throw null;
                public virtual IEnumerable<(string name, Module module)> named_modules() => throw null;
                public virtual Dictionary<string, Tensor> state_dict(Dictionary<string, Tensor> destination = null, string prefix = null) => throw null;
                public virtual void register_module(string name, Module submodule) => throw null;
                public void Dispose() => throw null;
            }

            public class HookableModule<TPreHook, TPostHook> : Module
            {
                protected HookableModule(string name) : base(name) { }
                public HookRemover register_forward_pre_hook(TPreHook hook) => throw null;

                public class HookRemover
                {
                    public void remove() => throw null;
                }
            }

            public abstract class Module<T, TResult> : HookableModule<Func<Module<T, TResult>, T, T>, Func<Module<T, TResult>, T, TResult, TResult>>
            {
                protected Module(string name) : base(name) { }
                public abstract TResult forward(T input);
                public TResult call(T input) => throw null;
            }
        }
    }

    namespace Modules
    {
        public sealed class Parameter : torch.Tensor
        {
        }

        public sealed class Linear : torch.nn.Module<torch.Tensor, torch.Tensor>
        {
            internal Linear() : base("Linear") { }
            public Parameter bias { get; set; }
            public Parameter weight { get; set; }
            public override torch.Tensor forward(torch.Tensor tensor) => throw null;
        }
    }
}

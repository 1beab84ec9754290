"""What profilers say, read."""

from collections import Counter

from bench.stacks import flame_graph, library, parse_perf, parse_spy, self_samples

PERF = """
 5213/5399
\t         11992bd [unknown] (/v/lib/python3.11/site-packages/onnxruntime/capi/onnxruntime_state.so)

 5213/5213
\tffffffff8220186a _raw_spin_unlock+0x1a ([kernel.kallsyms])
\tffffffff8143b6a2 __x64_sys_futex+0x92 ([kernel.kallsyms])
\t           905f1 sem_post@GLIBC_2.2.5 (/usr/lib/x86_64-linux-gnu/libc.so.6)

 5213/5213
\tffffffff81000001 asm_sysvec_apic_timer_interrupt ([kernel.kallsyms])
\t           1c70bf _PyType_Lookup (/opt/lib/libpython3.11.so.1.0)

"""

SPY = """thread (12): MainThread;main (a.py:1);step (b.py:2) 7
thread (12): MainThread;main (a.py:1) 2
thread (13): vad;run (c.py:3);judge <locals>.<lambda> (c.py:9) 5
"""


def test_the_kernels_work_is_named_after_the_system_call_and_other_work_after_its_library():
    samples = parse_perf(PERF)
    assert [sample.subsystem for sample in samples] == ["onnxruntime", "kernel: futex", "kernel: interrupts, faults"]
    assert [(sample.pid, sample.tid) for sample in samples] == [(5213, 5399), (5213, 5213), (5213, 5213)]


def test_files_are_named_after_the_package_they_belong_to():
    assert library("/v/site-packages/numpy.libs/libopenblas.so") == "numpy"
    assert library("/opt/lib/libpython3.11.so.1.0") == "CPython"
    assert library("/opt/lib/python3.11/lib-dynload/binascii.cpython-311.so") == "CPython"
    assert library("[JIT] tid 5213") == library("/tmp/perf-5213.map") == "compiled kernels (numba)"
    assert library("/usr/lib/x86_64-linux-gnu/libc.so.6") == "libc"
    assert library("[vdso]") == "vdso"


def test_stacks_are_kept_by_thread_and_counted_by_the_innermost_function():
    threads = parse_spy(SPY)
    assert set(threads) == {(12, "MainThread"), (13, "vad")}
    assert self_samples(threads[12, "MainThread"]) == {"step (b.py:2)": 7, "main (a.py:1)": 2}
    assert self_samples(threads[13, "vad"]) == {"judge <locals>.<lambda> (c.py:9)": 5}


def test_a_flame_graph_is_as_wide_as_the_samples_and_escapes_names():
    graph = flame_graph(Counter({("main",): 1, ("main", "<lambda>"): 3}), "all")
    assert 'width="1200.0"' in graph
    assert "&lt;lambda&gt;: 3 samples, 75.0 %" in graph
    assert "<lambda>" not in graph

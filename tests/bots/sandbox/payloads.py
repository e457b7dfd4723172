"""What a hostile strategy may try, one technique each: bodies of `attack(ctx)`.

{canary} is a folder with a file `secret`, {port} a listener on loopback, {parent} the process that asks. Whatever a body
returns is the strategy's answer.
"""

# Reaches any loaded module without an import and without a word that the lint knows.
MODULES = "import collections\nmodules = collections._sys.modules\nos = modules['os']\n"
CTYPES = MODULES + "ctypes = modules['ctypes']\nlibc = ctypes.CDLL(None)\n"
WALK = """
base = getattr((), '__cl' + 'ass__')
base = getattr(base, '__ba' + 'se__')
kinds = getattr(base, '__subcl' + 'asses__')()
"""

PAYLOADS: dict[str, str] = {
    "import os.system": "import os\nos.system('touch {canary}/made')",
    "__import__": "__import__('os').system('touch {canary}/made')",
    "importlib": "import importlib\nimportlib.import_module('os').system('touch {canary}/made')",
    "read a file": "return open('{canary}/secret').read()",
    "write a file": "open('{canary}/made', 'w').write('x')",
    "read through pathlib": "import pathlib\nreturn pathlib.Path('{canary}/secret').read_text()",
    "os.open through an allowed module": MODULES + "return os.read(os.open('{canary}/secret', 0), 100).decode()",
    "os.system through an allowed module": MODULES + "os.system('touch {canary}/made')",
    "io.open through an allowed module": MODULES + "modules['io'].open('{canary}/made', 'w').write('x')",
    "__subclasses__ walk": "return str(().__class__.__base__.__subclasses__())",
    "__subclasses__ by pieces": WALK
    + "for kind in kinds:\n"
    + "    if getattr(kind, '__na' + 'me__') == '_wrap_close':\n"
    + "        start = getattr(getattr(kind, '__in' + 'it__'), '__glo' + 'bals__')\n"
    + "        start['system']('touch {canary}/made')",
    "__globals__": "return str(ctx.sma.__func__.__globals__)",
    "__globals__ by pieces": "names = getattr(type(ctx).sma, '__glo' + 'bals__')\nreturn str(names)",
    "traceback frames": "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n"
    "    return str(e.__traceback__.tb_frame.f_back.f_globals)",
    "frames by pieces": MODULES + "frame = modules['sys']._getframe(1)\nreturn str(getattr(frame, 'f_glo' + 'bals'))",
    "generator frame": "def g():\n    yield\nreturn str(g().gi_frame.f_back)",
    "str.format traversal": "return '{{0.__class__.__init__.__globals__}}'.format(ctx)",
    "str.format by pieces": "return ('{{0.__cl' + 'ass__.__in' + 'it__.__glo' + 'bals__}}').format(ctx)",
    "eval": "return eval(\"__import__('os').environ\")",
    "exec": "exec(\"import os; os.system('touch {canary}/made')\")",
    "eval through builtins": MODULES + "modules['builtins'].eval(\"open('{canary}/made','w')\")",
    "compile and exec": MODULES
    + "b = modules['builtins']\nb.exec(b.compile(\"import os; os.mkdir('{canary}/d')\",'x','exec'))",
    "ctypes system()": CTYPES + "libc.system(b'touch {canary}/made')",
    "ctypes import": "import ctypes\nctypes.CDLL(None).system(b'touch {canary}/made')",
    "raw socket syscall": CTYPES + "libc.syscall(41, 2, 1, 0)",
    "raw write syscall": CTYPES + "libc.syscall(1, 3, b'x', 1)",
    "connect to loopback": "import socket\nsocket.create_connection(('127.0.0.1', {port}), 1).send(b'x')",
    "connect by a loaded socket": MODULES
    + "s = modules['_socket'].socket(2, 1)\ns.connect(('127.0.0.1', {port}))\ns.send(b'x')",
    "unix socket": MODULES + "modules['_socket'].socket(1, 2).sendto(b'x', '{canary}/socket')",
    "environment secrets": "import os\nreturn str(os.environ)",
    "environment by a loaded module": MODULES + "return os.environ['CANARY_SECRET']",
    "environment of the parent": MODULES + "return open('/proc/{parent}/environ').read()",
    "memory of the parent": MODULES + "os.open('/proc/{parent}/mem', 2)",
    "signal the parent": MODULES + "os.kill({parent}, 10)",
    "signal by getppid": MODULES + "os.kill(os.getppid(), 10)",
    "signal the group": MODULES + "os.killpg(0, 10)\nos.kill(-1, 10)",
    "signal by fcntl": MODULES + "f = modules['fcntl']\nf.fcntl(0, 8, {parent})\nf.fcntl(0, 4, 0o20000)",
    "subprocess": "import subprocess\nsubprocess.run(['touch', '{canary}/made'])",
    "fork": MODULES + "os.fork()",
    "exec of a program": MODULES + "os.execv('/bin/touch', ['touch', '{canary}/made'])",
    "posix_spawn": MODULES + "os.posix_spawn('/bin/touch', ['touch', '{canary}/made'], {{}})",
    "thread": MODULES + "modules['_thread'].start_new_thread(print, ())",
    "inherited fds": MODULES + "for fd in range(3, 64):\n    os.write(fd, b'x')",
    "forged answers": MODULES + "os.write(1, b'\\x00\\x00\\x00\\x02{{}}' * 9)",
    "duplicated answer pipe": MODULES + "os.dup2(1, 9)\nos.fork()",
    "infinite loop": "while True:\n    pass",
    "memory bomb": "held = []\nwhile True:\n    held.append('x' * 10_000_000 + str(len(held)))",
    "giant integer": "return 9 ** 9 ** 9",
    "endless pattern": "import re\nre.match('(a+)+$', 'a' * 60 + 'b')",
    "deep recursion": "def f(n):\n    return f(n + 1)\nreturn f(0)",
    "SystemExit": "raise SystemExit(0)",
    "os._exit": MODULES + "os._exit(0)",
    "swallow everything": "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass",
    "oversized answer": "return 'BUY' * 10_000_000",
    "oversized by the pipe": MODULES + "os.write(1, (2**31).to_bytes(4, 'big') + b'x' * 65536)",
    "NaN quantity": "return Signal('BUY', float('nan'))",
    "bool quantity": "return Signal('BUY', True)",
    "forged signal": "s = Signal('BUY', 1)\nobject.__setattr__(s, 'quantity', float('inf'))\nreturn s",
    "forged by pieces": "s = Signal('BUY', 1)\ngetattr(object, '__setat' + 'tr__')(s, 'quantity', True)\nreturn s",
    "a string of its own kind": "class S(str):\n    pass\nreturn S('{canary}')",
    "star import": "from os import *\nsystem('touch {canary}/made')",
    "write importable files": "open('sitecustomize.py', 'w').write('x')",
    "write beside our code": MODULES + "path = modules['bots.rules.sandbox.child']\nopen = modules['io'].open\n"
    "open(getattr(path, '__fi' + 'le__').replace('child', 'made'), 'w')",
    "bytecode by code.replace": "def f():\n    pass\nreturn f.__code__.replace(co_consts=())",
    "disarm the informer": MODULES
    + "child = modules['bots.rules.sandbox.child']\nchild._TOLD = ()\nchild._line = lambda: 1\nos.mkdir('{canary}/d')",
    "executable memory": MODULES + "modules['mmap'].mmap(-1, 4096, prot=7)",
    "timer signal": MODULES + "modules['signal'].setitimer(0, 0.01)",
    "audit hook of its own": MODULES + "modules['sys'].addaudithook(lambda *a: None)\nos.listdir('{canary}')",
    "shared memory": CTYPES + "libc.shmget(1, 4096, 0o1666)",
    "collector": MODULES + "return str(modules['gc'].get_objects())",
}
# These compute, and answer what nobody asked: refused by what they return.

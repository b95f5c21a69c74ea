"""Programs that use generators as nobody should.

Each is told a clip, a pack, a count and a number of frames, and prints a JSON list: did each trial go well?
"""

_BEGIN = """
import asyncio, gc, itertools, json, os, sys, threading
import numpy as np
from vidinv import VideoEditor
from vidinv.video import Reader
path, pack, count, frames = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
with Reader(path) as reader:
    clip = [frame.image for frame in reader]
editor = VideoEditor(pack)
def forever():
    return itertools.chain.from_iterable(itertools.repeat(clip))
def edited(source):
    return editor.edit_frames(source, "age=+1", rate=25)
def held():
    gc.collect()
    return threading.active_count(), len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
"""

CLOSES = f"""{_BEGIN}
list(edited(clip))
before, well = held(), []
for index in range(count):
    stream = edited(forever())
    for _ in range(index % 7):
        next(stream)
    stream.close() if index % 2 else None
    del stream
    well.append(held() == before)
print(json.dumps(well))
"""

ENDS = f"""{_BEGIN}
stream = edited(forever())
next(stream)
print("[]", flush=True)
sys.exit(7)
"""

THREADS = f"""{_BEGIN}
right = list(edited(clip))
made = dict()
def work(index):
    made[index] = list(edited(clip))
async def together():
    await asyncio.gather(*(asyncio.to_thread(work, index) for index in range(count // 2, count)))
started = [threading.Thread(target=work, args=(index,)) for index in range(count // 2)]
for thread in started:
    thread.start()
for thread in started:
    thread.join()
asyncio.run(together())
print(json.dumps([all(np.array_equal(a, b) for a, b in zip(right, made[i], strict=True)) for i in range(count)]))
"""

LONG = f"""{_BEGIN}
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
seen = []
for index, _ in enumerate(edited(itertools.islice(forever(), frames))):
    if index >= frames // 4:
        seen.append((resident(), *held()) if index % 10 == 0 else seen[-1] if seen else (resident(), *held()))
memory, threads, handles = zip(*seen)
print(f"{{memory[0]:.0f}} to {{max(memory):.0f}} MiB", file=sys.stderr)
print(json.dumps([max(memory) < 1.05 * memory[0], max(threads) <= threads[0], max(handles) <= handles[0]]))
"""

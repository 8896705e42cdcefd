"""An ONNX folder in Chromium: onnxruntime-web and transformers.js tell the texts that Python does.

``ANEKDOT_NODE_MODULES`` names a folder with onnxruntime-web and @huggingface/transformers of npm.
"""

import functools
import http.server
import json
import os
import shutil
import signal
import subprocess
import threading
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from anekdot.export import export
from tests.support import engines

MODULES = Path(os.environ.get("ANEKDOT_NODE_MODULES", ""))
CHROMIUM = shutil.which("chromium")
ORT = "onnxruntime-web/dist"

if not (CHROMIUM and (MODULES / ORT).is_dir()):
    pytest.skip(
        "needs chromium, and ANEKDOT_NODE_MODULES naming onnxruntime-web", allow_module_level=True
    )
pytest.importorskip("onnx")

IDS = [1, 2779, 792, 2031, 280, 1506]
NEW = 16
PAGE = """<!doctype html><meta charset=utf-8><script type=module>
let result;
try { result = await (async () => { %s })(); } catch (error) { result = String(error.stack); }
await fetch('/', {method: 'POST', body: JSON.stringify(result)});
</script>"""

RUN_ORT = """
const ort = await import('/modules/onnxruntime-web/dist/ort.wasm.min.mjs');
ort.env.wasm.wasmPaths = '/modules/onnxruntime-web/dist/';
ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create('/model/model.onnx');
const caches = session.inputNames.filter(name => name.startsWith('past_key_values'));
const integers = values =>
  new ort.Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);
const empty = new ort.Tensor('float32', new Float32Array(0), [1, 3, 0, 64]);
let past = Object.fromEntries(caches.map(name => [name, empty]));
let fresh = IDS, length = IDS.length, text = [], first = null;
while (text.length < NEW) {
  const mask = integers(Array(length).fill(1));
  const out = await session.run({input_ids: integers(fresh), attention_mask: mask, ...past});
  const size = out.logits.dims[2];
  const row = Array.from(out.logits.data.slice(-size));
  first ??= row;
  past = Object.fromEntries(
    caches.map(name => [name, out[name.replace('past_key_values', 'present')]]));
  fresh = [row.indexOf(Math.max(...row))];
  text.push(fresh[0]);
  length += 1;
}
return {logits: first, text};
"""

RUN_TRANSFORMERS = """
const t = await import('/modules/@huggingface/transformers/dist/transformers.min.js');
Object.assign(t.env, {allowRemoteModels: false, allowLocalModels: true, localModelPath: '/',
                      useBrowserCache: false});
t.env.backends.onnx.wasm.wasmPaths = '/modules/onnxruntime-web/dist/';
t.env.backends.onnx.wasm.numThreads = 1;
const tokenizer = await t.AutoTokenizer.from_pretrained('model');
const inputs = tokenizer(PROMPT);
const settings = {dtype: 'fp32', subfolder: '', device: 'wasm'};
const model = await t.AutoModelForCausalLM.from_pretrained('model', settings);
const out = await model.generate({...inputs, max_new_tokens: NEW, do_sample: false});
return {ids: Array.from(inputs.input_ids.data, Number), text: Array.from(out.data, Number)};
"""


def run_page(site: Path, script: str, seconds: float = 150) -> object:
    """Opens a page in Chromium and returns what its script returns."""
    (site / "index.html").write_text(PAGE % script, "utf-8")
    received: list[object] = []
    done = threading.Event()

    class Handler(http.server.SimpleHTTPRequestHandler):
        extensions_map: ClassVar = {
            ".html": "text/html", ".mjs": "text/javascript", ".js": "text/javascript",
            ".wasm": "application/wasm", "": "application/octet-stream",
        }  # fmt: skip

        def do_POST(self):
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()
            done.set()

        def log_message(self, *args):
            pass

    handler = functools.partial(Handler, directory=site)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = subprocess.Popen(
            [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
             "--disable-background-networking", f"--user-data-dir={site / 'profile'}",
             f"http://127.0.0.1:{server.server_port}/"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        done.wait(seconds)
        os.killpg(browser.pid, signal.SIGTERM)
        browser.wait(10)
        server.shutdown()
    assert received, "the page did not answer"
    return received[0]


@pytest.fixture
def site(tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site/modules").symlink_to(MODULES.resolve())
    return tmp_path / "site"


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["f32", "int8"])
def test_onnxruntime_web(site, dtype):
    engine = exported(site, dtype)
    script = RUN_ORT.replace("IDS", str(IDS)).replace("NEW", str(NEW))
    found = run_page(site, script)
    assert isinstance(found, dict), found
    expected_V = engine.log_probs(IDS)[-1]
    found_V = engines.log_softmax(np.array(found["logits"]))
    likely = expected_V > -15
    # where there is no int8 arithmetic, int8 weights are multiplied as floats
    assert np.abs(found_V - expected_V)[likely].max() <= (1e-4 if dtype == "f32" else 0.3)
    if dtype == "f32":
        assert found["text"] == engine.greedy(IDS, NEW)


@pytest.mark.slow
def test_transformers_js(site):
    if not (MODULES / "@huggingface/transformers").is_dir():
        pytest.skip("@huggingface/transformers is not there")
    engine = exported(site, "f32")
    script = RUN_TRANSFORMERS.replace("PROMPT", "'Заходит русский в бар'").replace("NEW", str(NEW))
    found = run_page(site, script)
    assert isinstance(found, dict), found
    assert found["ids"] == IDS
    assert found["text"] == IDS + engine.greedy(IDS, NEW)


def exported(site: Path, dtype: str):
    export("pretrained", "onnx", site / "model", dtype=dtype)
    return engines.load("onnx", site / "model")

// What a notebook's kernel loads for Pyodide: micrograd.mjs with the packages of the kernel.

import { loadPyodide as load } from "./micrograd.mjs";
import { ARRAYS, WHEELS } from "./wheels.mjs";

const MISSING = `
import sys

class Missing:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in ("numpy", "matplotlib", "safetensors"):
            raise ModuleNotFoundError(
                f"{name} is not in this site's Python, but the rest of the notebook may run; "
                "on your own machine all of it does", name=name)

sys.meta_path.append(Missing)
`;

// Completion asks the objects: jedi would take seconds to load.
const STARTUP = "/home/pyodide/.ipython/profile_default/startup";
const COMPLETION = "get_ipython().Completer.use_jedi = False";

// The kernel asks for packages by name, and takes them for loaded: they are among the wheels.
export async function loadPyodide({ packages, ...options }) {
  const wheels = WHEELS.map((name) => new URL(`kernel/${name}`, import.meta.url).href);
  const python = await load({ ...options, packages: ARRAYS, wheels });
  if (!ARRAYS.length) python.runPython(MISSING);
  python.FS.mkdirTree(STARTUP);
  python.FS.writeFile(`${STARTUP}/completion.py`, COMPLETION);
  return python;
}

"""Runs every notebook beside this file, with nbclient: each cell must end well, and one of them draws a picture.

LAKEGATE_FLIGHT is the address of the server. `--pictures FOLDER` keeps the pictures, as those of the documentation were made.
"""
import argparse
import base64
import pathlib
import sys

import nbclient
import nbformat

HERE = pathlib.Path(__file__).parent
SECONDS_PER_CELL = 120


def pictures(notebook):
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return [output.data["image/png"] for output in outputs if "image/png" in output.get("data", {})]


def run(path):
    notebook = nbformat.read(path, as_version=4)
    stored = [cell for cell in notebook.cells if cell.cell_type == "code" and (cell.outputs or cell.execution_count)]
    if stored:
        raise ValueError("outputs are stored in it: clear them")
    nbclient.NotebookClient(notebook, timeout=SECONDS_PER_CELL, resources={"metadata": {"path": HERE}}).execute()
    [picture] = pictures(notebook)
    return base64.b64decode(picture)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--pictures", type=pathlib.Path)
    folder = arguments.parse_args().pictures
    passed = failed = 0
    for path in sorted(HERE.glob("*.ipynb")):
        try:
            picture = run(path)
        except Exception as error:
            failed += 1
            print(f"FAILED: {path.name}\n{error}")
            continue
        passed += 1
        if folder:
            (folder / f"{path.stem}.png").write_bytes(picture)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

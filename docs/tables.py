"""The tables of measurements, as reStructuredText."""


def figure(name, caption):
    """Return the lines that show a figure."""
    path = f"generated/performance/{name}.png"
    return [f".. figure:: {path}", f"   :alt: {caption}", "", f"   {caption}", ""]


def list_table(headers, rows):
    """Return the lines of a table."""
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in [headers, *rows]:
        lines += [
            f"   {'* -' if i == 0 else '  -'} {text}".rstrip()
            for i, text in enumerate(row)
        ]
    return [*lines, ""]


def source(result):
    """Say in a paragraph where and when a result was measured."""
    versions = ", ".join(
        f"{name} {version}" for name, version in result["versions"].items() if version
    )
    features = " ".join(result["machine"]["cpu_features"])
    parts = [
        f"*{machine(result)}*: {result['machine']['usable_cpus']} CPUs",
        features and f"with {features}",
        versions,
        f"{result['date']}.",
    ]
    return ", ".join(part for part in parts if part) + "\n"


def machine(result):
    """Return a short name of the machine: the GPU, or the CPU with what it can do."""
    about = result["machine"]
    kind, _, name = about["device"].partition(": ")
    if kind != "cpu":
        return name.removeprefix("NVIDIA ")
    features = " ".join(about["cpu_features"])
    kinds = {"amx": "AMX", "avx512": "AVX-512", "avx2": "AVX2"}
    found = [kinds[one] for one in kinds if one in features]
    return ", ".join([about["cpu"], *found[:1]])

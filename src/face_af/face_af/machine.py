"""What a machine needs to run face_af, one check each: what was found, and what to do about it."""

from __future__ import annotations

import importlib
import importlib.util
import os
import platform
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from ament_index_python.packages import get_package_share_directory

from face_af_common import fastdds
from face_af_common.paths import data_dir, gallery_dir, model_dirs

OK, WARN, FAIL = "ok", "warn", "fail"
_PICTURE_BYTES = 1920 * 1080 * 3
_NIKON = "04b0"


@dataclass(frozen=True)
class Finding:
    """``status``: ok, warn or fail; ``advice``: what to do, empty when nothing."""

    subject: str
    status: str
    text: str
    advice: str = ""


@dataclass(frozen=True)
class Machine:
    """Where to look; tests look elsewhere."""

    root: Path = Path("/")

    def read(self, path: str) -> str:
        try:
            return (self.root / path).read_text(encoding="utf-8", errors="replace").strip("\0\n ")
        except OSError:
            return ""

    def glob(self, pattern: str) -> list[Path]:
        return sorted(self.root.glob(pattern))

    @property
    def is_jetson(self) -> bool:
        return "tegra" in self.read("proc/device-tree/compatible") or (self.root / "etc/nv_tegra_release").exists()


def examine(machine: Machine) -> Iterator[Finding]:
    """Every check in order. A check that itself fails becomes a warning."""
    for check in CHECKS:
        try:
            yield from check(machine)
        except Exception as error:
            yield Finding(check.__name__.strip("_").replace("_", " "), WARN, f"could not be checked ({error})")


def _python_and_ros(machine: Machine) -> Iterator[Finding]:
    yield Finding("Python", OK, platform.python_version())
    distro = os.environ.get("ROS_DISTRO", "")
    if importlib.util.find_spec("rclpy") is None:
        yield Finding(
            "ROS 2", FAIL, "rclpy cannot be imported", "use ./run, or source /opt/ros/DISTRO/setup.bash first"
        )
    else:
        yield Finding("ROS 2", OK, distro or "rclpy is there")


_NEEDED = {"cv2": "opencv-python", "numpy": "numpy", "yaml": "PyYAML", "onnxruntime": "onnxruntime", "numba": "numba"}
_USEFUL = {
    "aiohttp": "the page for phones",
    "rosbags": "replay and tune",
    "usb": "a camera on USB (pyusb)",
    "matplotlib": "plots",
}


def _imported(module: str) -> tuple[ModuleType | None, str]:
    """The module, or why it cannot be imported: a library that is there may be one that does not fit the others."""
    try:
        return importlib.import_module(module), ""
    except ModuleNotFoundError as error:
        return None, "is missing" if error.name == module.split(".")[0] else str(error)
    except Exception as error:  # a binary that does not fit raises anything
        return None, f"is broken: {(str(error).strip() or repr(error)).splitlines()[0]}"


def _libraries(machine: Machine) -> Iterator[Finding]:
    versions = []
    for module, package in _NEEDED.items():
        found, reason = _imported(module)
        if found is None:
            yield Finding(package, FAIL, reason, "./run setup; where ROS 2 is installed first: rosdep install (README)")
        else:
            versions.append(f"{package} {getattr(found, '__version__', '?')}")
    missing = [f"{name} ({use})" for name, use in _USEFUL.items() if _imported(name)[0] is None]
    if missing:
        yield Finding("libraries", WARN, f"without {', '.join(missing)}", "./run setup")
    yield Finding("libraries", OK, ", ".join(versions))


def _capture_devices(machine: Machine) -> Iterator[Finding]:
    devices = machine.glob("dev/video*")
    if not devices:
        yield Finding("capture", WARN, "there is no /dev/video*", "plug in the capture card; see `lsusb` and `dmesg`")
        return
    shut = [device for device in devices if not os.access(device, os.R_OK | os.W_OK)]
    if shut:
        advice = "sudo usermod -aG video $USER, then log in again"
        yield Finding("capture", FAIL, f"no permission for {', '.join(d.name for d in shut)}", advice)
    else:
        names = [machine.read(f"sys/class/video4linux/{d.name}/name") for d in devices]
        listed = ", ".join(f"{d.name} ({name})" if name else d.name for d, name in zip(devices, names, strict=True))
        yield Finding("capture", OK, listed)


def _camera_usb(machine: Machine) -> Iterator[Finding]:
    for vendor in machine.glob("sys/bus/usb/devices/*/idVendor"):
        if machine.read(str(vendor.relative_to(machine.root))) != _NIKON:
            continue
        folder = vendor.parent.relative_to(machine.root)
        name = machine.read(f"{folder}/product") or "a Nikon camera"
        bus, number = machine.read(f"{folder}/busnum"), machine.read(f"{folder}/devnum")
        node = machine.root / f"dev/bus/usb/{int(bus):03d}/{int(number):03d}" if bus and number else None
        speed = machine.read(f"{folder}/speed")
        if node is not None and not os.access(node, os.R_OK | os.W_OK):
            yield Finding("camera", FAIL, f"{name}: no permission", _udev_advice())
        else:
            yield Finding("camera", OK, f"{name} on USB ({speed or '?'} Mbit/s)")
        break
    else:
        yield Finding("camera", WARN, "no Nikon camera on USB", "switch it on; USB: MTP/PTP; or use transport:=ptpip")
    for process in machine.glob("proc/[0-9]*/comm"):
        if "gvfs-gphoto2" in machine.read(str(process.relative_to(machine.root))):
            advice = "systemctl --user mask --now gvfs-gphoto2-volume-monitor.service"
            yield Finding("gvfs", WARN, "the desktop's gvfs-gphoto2 holds cameras", advice)
            break


def _udev_advice() -> str:
    try:
        rule = Path(get_package_share_directory("nikon_mcn10_driver"), "udev", "70-face-af-nikon.rules")
    except LookupError:
        rule = Path("src/nikon_mcn10_driver/udev/70-face-af-nikon.rules")
    return f"sudo cp {rule} /etc/udev/rules.d/ && sudo udevadm control --reload && sudo udevadm trigger"


def _shared_memory(machine: Machine) -> Iterator[Finding]:
    usage = shutil.disk_usage(machine.root / "dev/shm")
    text = f"/dev/shm: {usage.free / 1e6:.0f} MB free of {usage.total / 1e6:.0f} MB"
    if usage.free < 2.5e6 * fastdds.SHARED_MEMORY_MB:
        level = FAIL if usage.free < 1e6 * fastdds.SHARED_MEMORY_MB else WARN
        yield Finding("shared memory", level, text, fastdds.SHARED_MEMORY_ADVICE)
    else:
        yield Finding("shared memory", OK, text)
    stale = [path for path in machine.glob("dev/shm/fastrtps_*") if not os.access(path, os.W_OK)]
    if stale:
        advice = "sudo rm /dev/shm/fastrtps_* while no ROS 2 program runs"
        yield Finding("shared memory", WARN, f"{len(stale)} segments of another user", advice)


def _fastdds_profile(machine: Machine) -> Iterator[Finding]:
    rmw = os.environ.get("RMW_IMPLEMENTATION", "")
    if rmw and "fastrtps" not in rmw:
        yield Finding("Fast DDS", OK, f"{rmw} is used instead")
        return
    named = next((os.environ[name] for name in fastdds.VARIABLES if os.environ.get(name)), "")
    path = Path(named) if named else fastdds.profile()
    if not path.is_file():
        advice = f"export {fastdds.profile_variable()}={fastdds.profile()}"
        yield Finding("Fast DDS", FAIL, f"the profile {path} does not exist", advice)
        return
    sizes = re.findall(r"<(?:segment_size|maxMessageSize)>\s*(\d+)", path.read_text(encoding="utf-8"))
    if not sizes or min(int(size) for size in sizes) < _PICTURE_BYTES:
        advice = f"use {fastdds.profile()}, or raise segment_size and maxMessageSize above 16 MB"
        yield Finding("Fast DDS", FAIL, f"{path} is too small for 1080p pictures", advice)
    elif named:
        yield Finding("Fast DDS", OK, str(path))
    else:
        text = "the launch files set the profile; a node started by hand has none"
        yield Finding("Fast DDS", WARN, text, fastdds.export_line())


def _network(machine: Machine) -> Iterator[Finding]:
    local = os.environ.get("ROS_LOCALHOST_ONLY") == "1"
    local |= os.environ.get("ROS_AUTOMATIC_DISCOVERY_RANGE", "").upper() in ("LOCALHOST", "OFF")
    if local:
        yield Finding("discovery", OK, "stays on this machine")
    else:
        advice = "export ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST (Humble: ROS_LOCALHOST_ONLY=1)"
        yield Finding("discovery", WARN, "other machines on the network can send commands to the camera", advice)


def _models(machine: Machine) -> Iterator[Finding]:
    folders = [folder for folder in model_dirs() if folder.is_dir()]
    files = sorted({path.name for folder in folders for path in folder.glob("*.onnx")})
    if files:
        yield Finding("models", OK, f"{', '.join(files)} in {', '.join(map(str, folders))}")
    else:
        advice = "./run fetch-models gets SCRFD and MobileFaceNet, or set FACE_AF_MODEL_DIR"
        yield Finding("models", WARN, "only the embedded default (CenterFace, dlib)", advice)


def _engines(machine: Machine) -> Iterator[Finding]:
    tensorrt, reason = _imported("tensorrt")
    if tensorrt is None or not hasattr(tensorrt, "Builder"):
        # type stubs and namespace folders import, and have nothing in them
        text = "type stubs only, not the library" if tensorrt is not None else reason
        if machine.is_jetson:
            advice = "sudo apt install python3-libnvinfer, then remove .venv and ./run setup with ROS 2 sourced"
            yield Finding("TensorRT", FAIL, f"{text}, on this Jetson", advice)
        else:
            yield Finding("TensorRT", OK, f"{text}; ONNX Runtime is used")
        return
    _, reason = _imported("pycuda.driver")
    if reason:
        advice = "sudo apt install python3-dev, with nvcc on the PATH: pip install pycuda into .venv"
        yield Finding("pycuda", FAIL, f"TensorRT {tensorrt.__version__} cannot be used, pycuda {reason}", advice)
        return
    engines = list((data_dir() / "engines").glob("*")) if (data_dir() / "engines").is_dir() else []
    if engines:
        yield Finding("TensorRT", OK, f"{tensorrt.__version__}, {len(engines)} engines in {data_dir() / 'engines'}")
    else:
        advice = "ros2 run face_af_inference build_engines (minutes; otherwise at the first start)"
        yield Finding("TensorRT", WARN, f"{tensorrt.__version__}, no engine is built yet", advice)


def _gallery(machine: Machine) -> Iterator[Finding]:
    folder = gallery_dir()
    if (folder / "gallery.json").is_file():
        yield Finding("gallery", OK, str(folder))
    else:
        yield Finding("gallery", WARN, f"nobody is enrolled in {folder}", "ros2 run face_af_people enrol --help")


def _disk(machine: Machine) -> Iterator[Finding]:
    folder = data_dir()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    text = f"{free / 1e9:.1f} GB free at {folder}, {free / 12e6 / 60:.0f} minutes of 1080p30 recording"
    if not os.access(folder, os.W_OK):
        yield Finding("disk", FAIL, f"{folder} cannot be written", "set FACE_AF_DATA_DIR to a folder of yours")
    elif free < 20e9:
        yield Finding("disk", WARN, text, "free some space, or record to another disk: bag:=DIR")
    else:
        yield Finding("disk", OK, text)


def _power(machine: Machine) -> Iterator[Finding]:
    governors = {machine.read(str(p.relative_to(machine.root))) for p in
                 machine.glob("sys/devices/system/cpu/cpu*/cpufreq/scaling_governor")} - {""}  # fmt: skip
    if governors & {"powersave", "conservative"}:
        advice = "sudo cpupower frequency-set -g performance" + ("; sudo jetson_clocks" if machine.is_jetson else "")
        yield Finding("CPU governor", WARN, ", ".join(sorted(governors)), advice)
    elif governors:
        yield Finding("CPU governor", OK, ", ".join(sorted(governors)))
    if machine.is_jetson:
        mode = machine.read("var/lib/nvpmodel/status")
        text = mode or "power mode not known"
        yield Finding(
            "Jetson power", OK if "0000" in mode else WARN, text, "" if "0000" in mode else "sudo nvpmodel -m 0"
        )
    cores = os.cpu_count() or 1
    advice = "" if cores >= 2 else "one core will not reach camera rate"
    yield Finding("processor", OK if cores >= 2 else WARN, f"{cores} cores, {platform.machine()}", advice)


CHECKS: tuple[Callable[[Machine], Iterator[Finding]], ...] = (
    _python_and_ros,
    _libraries,
    _capture_devices,
    _camera_usb,
    _shared_memory,
    _fastdds_profile,
    _network,
    _models,
    _engines,
    _gallery,
    _disk,
    _power,
)

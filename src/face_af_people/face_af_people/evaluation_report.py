"""What an evaluation recommends, and its figures as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .compare import compared_table

if TYPE_CHECKING:
    from face_af_perception.analyser import FaceAnalyser


def recommended(report: dict[str, Any], analyser: FaceAnalyser) -> dict[str, float]:
    """Thresholds for the perception node: the stricter of what pairs and strangers ask for at the aimed-at rate."""
    from face_af_perception.identity_rule import HYSTERESIS

    asked = []
    if "verification" in report:
        asked.append(report["verification"]["threshold_at_far"])
    if "open_set" in report:
        asked += [figures["recommended"] for figures in report["open_set"]["enrolled"].values()]
    enter = max(asked)
    below = enter - HYSTERESIS * (enter - analyser.embedder.strangers)
    scale = analyser.embedder.scale
    return {
        "recognition.enter": round(scale.published(enter), 3),
        "recognition.exit": round(scale.published(below), 3),
    }


def table(report: dict[str, Any]) -> str:
    """The figures as text."""
    percent = "{:.1%}".format
    lines = [f"{report['detector']} + {report['embedder']}, threshold {report['threshold']:.3f}"]
    rate = percent(report["far"])
    if "verification" in report:
        v = report["verification"]
        lines += [
            "",
            f"verification      {v['right_at_threshold']} of {v['pairs']} pairs right at the model's threshold"
            + (f", {v['unusable']} unusable" if v["unusable"] else ""),
            f"  same person     {v['same_mean']:.3f} on average, {v['same_least']:.3f} at least",
            f"  different       {v['different_mean']:.3f} on average, {v['different_most']:.3f} at most",
            f"  equal error     {percent(v['eer'])} at {v['eer_threshold']:.3f}",
            f"  best accuracy   {percent(v['best_accuracy'])} at {v['best_threshold']:.3f}",
            f"  at {rate} false   {percent(v['true_accept_at_far'])} accepted from {v['threshold_at_far']:.3f} on",
        ]
    if "open_set" in report:
        o = report["open_set"]
        lines += ["", f"open set          {o['people']} people, {o['photos']} photos, {o['rounds']} random choices"]
        for name, parts in o["suspect_labels"].items():
            shown = " | ".join(" ".join(part) for part in parts)
            counted = "counted as several" if o["split"] else "--split counts them as several"
            lines.append(f"  {name}: the photos look like {len(parts)} people ({counted}): {shown}")
        lines.append("  enrolled  trials known/strangers  threshold      named  misnamed  strangers named")
        for count, figures in o["enrolled"].items():
            trials = f"{figures['known_trials']}/{figures['stranger_trials']}"
            for key, note in (("at_far", f"at {rate}"), ("at_threshold", "shipped")):
                f = figures[key]
                lines.append(
                    f"  {count:>8}  {trials:>22}  {f['threshold']:.3f} {note:8} {percent(f['named']):>6}"
                    f"  {percent(f['misnamed']):>8}  {percent(f['false_accepts']):>15}"
                )
    if "compared" in report:
        lines += compared_table(report["compared"])
    lines += [f"calibration of {name}: {line}" for name, line in report.get("calibration", {}).items()]
    lines += ["", "recommended: " + ", ".join(f"{name} {value}" for name, value in report["recommended"].items())]
    return "\n".join(lines)

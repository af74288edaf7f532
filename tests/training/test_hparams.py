"""TensorBoard's HParams, asked as its own server asks, tells runs apart."""

from tensorboard import context
from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
from tensorboard.plugins import base_plugin
from tensorboard.plugins.hparams import api_pb2, backend_context, list_session_groups


def sessions(folders):
    """Returns {run: (settings, last value of each metric)} as HParams shows them.

    Args:
        folders: By the name that is put before their runs; None puts nothing.
    """
    multiplexer = plugin_event_multiplexer.EventMultiplexer()
    for name, folder in folders.items():
        multiplexer.AddRunsFromDirectory(str(folder), name)
    multiplexer.Reload()
    provider = data_provider.MultiplexerDataProvider(multiplexer, "logs")
    server = backend_context.Context(
        base_plugin.TBContext(multiplexer=multiplexer, data_provider=provider)
    )
    request = api_pb2.ListSessionGroupsRequest(
        slice_size=10, allowed_statuses=api_pb2.Status.values()
    )
    handler = list_session_groups.Handler(context.RequestContext(), server, "", request)
    return {
        group.sessions[0].name.split("/")[0]: (
            {
                name: getattr(value, value.WhichOneof("kind"))
                for name, value in group.hparams.items()
            },
            {metric.name.tag: metric.value for metric in group.metric_values},
        )
        for group in handler.run().session_groups
    }


def test_runs_are_told_apart_by_their_settings(finished, prepared):
    """A table in which every run has the same settings compares nothing."""
    changes = {
        "objective.alpha": 0.25,
        "objective.temperature": 2.0,
        "objective.scale": 0.05,
        "training.learning_rate": 0.01,
    }
    other = prepared(
        "training.steps=10", *(f"{name}={value}" for name, value in changes.items())
    )
    other.succeed()
    found = sessions(
        {"first": finished.workdir / "logs", "other": other.workdir / "logs"}
    )
    assert set(found) == {"first", "other"}
    (first, scores), (second, _) = found["first"], found["other"]
    assert {name: second[name] for name in changes} == changes
    assert first["objective.alpha"] == 0.5 and first["training.learning_rate"] == 0.03
    differing = {name for name in first if first[name] != second[name]}
    assert differing == {*changes, "training.steps"}
    assert 0 < scores["validation/retrieval"] <= 1
    assert "train/loss" in scores and 0 < scores["test/retrieval"] <= 1

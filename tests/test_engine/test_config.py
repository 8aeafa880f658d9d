# SPDX-License-Identifier: MIT
import textwrap

import pytest
from mmengine import Config

from voxrecon.engine.config import (
    apply_options,
    check_config,
    load_config,
    parse_options,
    set_data,
)
from voxrecon.engine.config_schema import accepted_keys
from voxrecon.errors import ConfigError
from voxrecon.registry import DATASETS, HOOKS, METRICS, MODELS, TRANSFORMS


class ToyNet:
    def __init__(self, trunk, head=None, parts=(), data_preprocessor=None, init_cfg=None): ...


class ToyTrunk:
    def __init__(self, name, weights="pretrained", args=None): ...


class ToyWideTrunk(ToyTrunk):
    def __init__(self, width=2, **kwargs):
        super().__init__("wide", **kwargs)


class ToyAnything:
    def __init__(self, **kwargs):
        self.options = kwargs


class ToyData:
    def __init__(self, data_root, split, pipeline=(), taxonomy=None, test_mode=False): ...


class ToyOtherData:
    def __init__(self, data_root, folder="x", pipeline=()): ...


class ToyLoad:
    def __init__(self, size=1): ...


class ToyMetric:
    def __init__(self, thresholds=(0.5,)): ...


class ToyHook:
    def __init__(self, count=1): ...


TOYS = {
    MODELS: (ToyNet, ToyTrunk, ToyWideTrunk, ToyAnything),
    DATASETS: (ToyData, ToyOtherData),
    TRANSFORMS: (ToyLoad,),
    METRICS: (ToyMetric,),
    HOOKS: (ToyHook,),
}


@pytest.fixture(autouse=True)
def toys():
    for registry, classes in TOYS.items():
        for cls in classes:
            registry.register_module(module=cls)
    yield
    for registry, classes in TOYS.items():
        for cls in classes:
            del registry.module_dict[cls.__name__]


@pytest.fixture
def cfg():
    pipeline = [dict(type="ToyLoad", size=3)]
    train = dict(type="ToyData", data_root="data/x", split="train", pipeline=pipeline)
    test = dict(type="ToyData", data_root="data/x", split="test", test_mode=True)
    return Config(
        dict(
            data_root="data/x",
            train_pipeline=pipeline,
            model=dict(
                type="ToyNet",
                trunk=dict(type="ToyTrunk", name="vgg", weights="pretrained"),
                parts=[dict(width=1), dict(width=2, pool=3)],
            ),
            train_dataloader=dict(
                batch_size=4,
                sampler=dict(type="DefaultSampler", shuffle=True),
                collate_fn=dict(type="default_collate"),
                dataset=train,
            ),
            test_dataloader=dict(batch_size=1, dataset=test),
            train_cfg=dict(
                type="StageLoop",
                stages=[dict(epochs=250, views=1), dict(epochs=100, views=(1, 3))],
            ),
            test_evaluator=dict(type="ToyMetric"),
            optim_wrapper=dict(
                optimizer=dict(type="Adam", lr=1e-3, betas=(0.9, 0.999)),
                paramwise_cfg=dict(custom_keys=dict(head=dict(lr_mult=0.1))),
            ),
            param_scheduler=[dict(type="MultiStepLR", milestones=[150], gamma=0.5)],
            default_hooks=dict(logger=dict(type="LoggerHook", interval=20)),
            custom_hooks=[dict(type="ToyHook", priority="LOW")],
            randomness=dict(seed=0),
        )
    )


def applied(cfg, *options):
    apply_options(cfg, parse_options(options))
    check_config(cfg)
    return cfg


def message(call, *args):
    with pytest.raises(ConfigError) as caught:
        call(*args)
    text = str(caught.value)
    assert "\n" not in text
    return text


# --- reading ---


def test_load_config_merges_bases(tmp_path):
    (tmp_path / "base.py").write_text("a = 1\nmodel = dict(type='ToyNet', trunk=dict(name='x'))\n")
    (tmp_path / "own.py").write_text("_base_ = 'base.py'\nmodel = dict(trunk=dict(width=2))\n")
    cfg = load_config(tmp_path / "own.py")
    assert cfg.a == 1
    assert cfg.model == dict(type="ToyNet", trunk=dict(name="x", width=2))


def test_package_config_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text("_base_ = 'voxrecon::configs/pix2voxpp_a.py'\nmine = 5\n")
    own, direct = load_config("own.py"), load_config("voxrecon::configs/pix2voxpp_a.py")
    assert own.mine == 5
    assert own.model == direct.model
    assert own.model.backbone.name == "resnet50.tv_in1k"
    # mmengine marks what comes from a package; torch's DataLoader would take it for an argument
    assert "_scope_" not in own.pretty_text


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, "own.py: no such config file"),
        ({"own.py": "a = 1\nmodel = dict(\n"}, "own.py:2: '(' was never closed"),
        ({"own.py": "a = 1\nb = c\n"}, "own.py:2: NameError: name 'c' is not defined"),
        ({"own.py": "_base_ = 'base.py'\n", "base.py": "\n\nb = c\n"}, "base.py:3: NameError"),
        ({"own.py": "_base_ = 'base.py'\n", "base.py": "b = (\n"}, "own.py: in one of its bases"),
        ({"own.py": "_base_ = 'gone.py'\n"}, "gone.py"),
        ({"own.py": "custom_imports = dict(imports=['no_such_module'])\n"}, "no_such_module"),
    ],
)
def test_broken_config_is_one_line_with_its_place(tmp_path, files, expected):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert expected in message(load_config, tmp_path / "own.py")


def test_custom_imports_register_parts(tmp_path, monkeypatch):
    (tmp_path / "toy_part_by_import.py").write_text(
        textwrap.dedent("""\
            from voxrecon.registry import MODELS
            @MODELS.register_module()
            class ToyImported:
                def __init__(self, depth=1): ...
        """)
    )
    (tmp_path / "own.py").write_text(
        "custom_imports = dict(imports=['toy_part_by_import'])\n"
        "model = dict(type='ToyImported', depth=2)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    try:
        check_config(load_config(tmp_path / "own.py"))
        assert MODELS.get("ToyImported").__module__ == "toy_part_by_import"
    finally:
        MODELS.module_dict.pop("ToyImported", None)


# --- values ---


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("-1e-3", -1e-3),
        ("true", True),
        ("False", False),
        ("None", None),
        ("resnet50.tv_in1k", "resnet50.tv_in1k"),
        ("1,2,3", [1, 2, 3]),
        ("[1, 2]", [1, 2]),
        ("(1,3)", (1, 3)),
        ("(1,)", (1,)),
        ("()", ()),
        ("[(a,b),[c,1.5],true]", [("a", "b"), ["c", 1.5], True]),
        ("02691156", "02691156"),
        ("02691156,03001627", ["02691156", "03001627"]),
        ("'5'", "5"),
        ("/data (old)/x y", "/data (old)/x y"),
        ("{'type': 'ToyTrunk'}", {"type": "ToyTrunk"}),
        ("", ""),
        ("a=b", "a=b"),
        ("__import__('os').getpid()", "__import__('os').getpid()"),
    ],
)
def test_parse_options(text, value):
    parsed = parse_options([f"a.b={text}"])
    assert parsed == {"a.b": value}
    assert type(parsed["a.b"]) is type(value)


@pytest.mark.parametrize("option", ["ab", "=1", "a..b=1", "a=[1,b", "a=(b))", "a=x),(y"])
def test_options_that_cannot_be_parsed(option):
    assert message(parse_options, [option]).startswith(f"--cfg-options {option}: ")


# --- options ---


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        (
            "model.trunk.weigths=random",
            "--cfg-options model.trunk.weigths=random: no such key; "
            "did you mean model.trunk.weights?",
        ),
        ("model.trnk.weights=random", "no such key; did you mean model.trunk.weights?"),
        ("lod_from=x", "no such key; did you mean load_from?"),
        ("train_dataloader.num_worker=2", "did you mean train_dataloader.num_workers?"),
        ("train_cfg.stages.0.epoch=2", "did you mean train_cfg.stages.0.epochs?"),
        ("train_cfg.stages.2.epochs=2", "train_cfg.stages has the entries 0..1"),
        ("train_cfg.stages.-1.epochs=2", "train_cfg.stages has the entries 0..1"),
        ("param_scheduler.0.milestone=[1]", "did you mean param_scheduler.0.milestones?"),
        ("optim_wrapper.optimizer.beta=1", "did you mean optim_wrapper.optimizer.betas?"),
        ("default_hooks.check_point.interval=1", "did you mean default_hooks.checkpoint.interval?"),
        ("model.trunk.zzz=1", "no such key; expected one of args, name, type, weights"),
        ("model.trunk.name.x=1", "model.trunk.name is 'vgg', not a group of keys"),
        ("model.trunk=5", "a group of keys, not a value; it has type, name, weights"),
        ("model.head.width=5", "model.head has no type; set model.head.type as well"),
        ("model.trunk.type=ToyTrunck", "no such model; did you mean ToyTrunk?"),
        ("model.parts.0.pol=1", "did you mean model.parts.0.pool?"),
        (
            "train_pipeline.0.size=5",
            "a variable of the file, used already; "
            "did you mean train_dataloader.dataset.pipeline.0.size?",
        ),
    ],
)
def test_wrong_option_names_the_right_one(cfg, option, expected):
    text = message(apply_options, cfg, parse_options([option]))
    assert text.startswith("--cfg-options ")
    assert text.endswith(expected)


def test_options_set_what_config_has_or_constructor_takes(cfg):
    applied(
        cfg,
        "model.trunk.weights=random",
        "model.trunk.args={'drop': 0.1}",
        "train_cfg.stages.0.epochs=2",
        "train_cfg.stages.1.frozen=[backbone,neck]",
        "train_cfg.stages.1.views.1=5",
        "optim_wrapper.optimizer.weight_decay=0.1",
        "optim_wrapper.paramwise_cfg.custom_keys.trunk.lr_mult=0",
        "param_scheduler.0.begin=1",
        "train_dataloader.num_workers=2",
        "model.parts.0.pool=4",
        "custom_hooks.0.count=3",
        "load_from=x.pth",
        "default_hooks.timer.type=IterTimerHook",
        "randomness.deterministic=True",
    )
    assert cfg.model.trunk == dict(
        type="ToyTrunk", name="vgg", weights="random", args=dict(drop=0.1)
    )
    assert cfg.train_cfg.stages == [
        dict(epochs=2, views=1),
        dict(epochs=100, views=(1, 5), frozen=["backbone", "neck"]),
    ]
    assert cfg.optim_wrapper.optimizer.weight_decay == 0.1
    assert cfg.optim_wrapper.paramwise_cfg.custom_keys.trunk.lr_mult == 0
    assert cfg.param_scheduler[0].begin == 1
    assert cfg.train_dataloader.num_workers == 2
    assert cfg.model.parts == [dict(width=1, pool=4), dict(width=2, pool=3)]
    assert cfg.custom_hooks[0].count == 3
    assert cfg.load_from == "x.pth"


def test_options_do_not_leak_into_dicts_that_a_config_shares(cfg):
    shared = cfg.train_dataloader.dataset.pipeline
    cfg.test_dataloader.dataset.pipeline = shared
    apply_options(cfg, {"train_dataloader.dataset.pipeline.0.size": 9})
    assert cfg.train_dataloader.dataset.pipeline[0].size == 9
    assert cfg.test_dataloader.dataset.pipeline[0].size == 3


def test_new_type_keeps_what_it_takes(cfg):
    # the type is set first, wherever it stands
    applied(
        cfg,
        "test_dataloader.dataset.folder=y",
        "test_dataloader.dataset.type=ToyOtherData",
    )
    assert cfg.test_dataloader.dataset == dict(type="ToyOtherData", data_root="data/x", folder="y")


def test_delete_and_replace(cfg):
    applied(
        cfg, "model.trunk.width=7", "model.trunk._delete_=True", "model.trunk.type=ToyWideTrunk"
    )
    assert cfg.model.trunk == dict(type="ToyWideTrunk", width=7)
    apply_options(cfg, {"model.trunk": {"_delete_": True, "type": "ToyTrunk", "name": "a"}})
    assert cfg.model.trunk == dict(type="ToyTrunk", name="a")
    apply_options(cfg, {"model.head.type": "ToyTrunk", "model.head.name": "b"})
    assert cfg.model.head == dict(type="ToyTrunk", name="b")
    apply_options(cfg, {"model.head": None})
    assert cfg.model.head is None


def test_data_root_option_equals_set_data(cfg):
    other = cfg.copy()
    apply_options(cfg, {"data_root": "/d"})
    set_data(other, data_root="/d")
    assert cfg.train_dataloader.dataset.data_root == "/d"
    assert cfg.test_dataloader.dataset.data_root == "/d"
    assert cfg.to_dict() == other.to_dict()


def test_set_data_taxonomy(cfg, tmp_path):
    set_data(cfg, taxonomy=tmp_path / "t.json")
    for loader in (cfg.train_dataloader, cfg.test_dataloader):
        assert loader.dataset.taxonomy == str(tmp_path / "t.json")
        assert loader.dataset.data_root == "data/x"


# --- checking ---


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("model.trunk", dict(type="ToyTrunck"), "model.trunk.type=ToyTrunck: no such model; "),
        ("model.trunk", dict(type="ToyTrunk", nam=1), "takes no 'nam'; did you mean name?"),
        ("model.head", dict(type="ToyWideTrunk", wdith=1), "did you mean width?"),
        ("model.head", dict(type="ToyWideTrunk", weigths=1), "did you mean weights?"),
        ("model.init_cfg", dict(type="Xavier", gian=1), "XavierInit takes no 'gian'; did you mean"),
        (
            "model.init_cfg",
            [dict(type="Xavir")],
            "model.init_cfg.0.type=Xavir: no such weight init",
        ),
        ("train_dataloader.dataset", dict(type="ToyDat"), "no such dataset; did you mean ToyData?"),
        (
            "train_dataloader.dataset.pipeline",
            [dict(type="ToyLoad"), dict(type="ToyLoad", siz=2)],
            "train_dataloader.dataset.pipeline.1: ToyLoad takes no 'siz'; did you mean size?",
        ),
        ("train_dataloader.sampler", dict(type="DefaultSample"), "did you mean DefaultSampler?"),
        ("train_dataloader.batch", 3, "train_dataloader: DataLoader takes no 'batch'"),
        ("train_cfg", dict(type="StageLop"), "no such loop; did you mean StageLoop?"),
        ("train_cfg.stages", [dict(epoch=1)], "Stage takes no 'epoch'; did you mean epochs?"),
        ("test_evaluator", [dict(type="ToyMetrics")], "did you mean ToyMetric?"),
        ("custom_hooks", [dict(type="ToyHook", cuont=1)], "did you mean count?"),
        ("default_hooks.logger", dict(type="LogerHook"), "did you mean LoggerHook?"),
        ("visualizer", dict(type="Visualiser"), "no such visualizer; did you mean Visualizer?"),
        ("optim_wrapper.optimizer", dict(type="Adm"), "no such optimizer; did you mean Adam"),
        ("param_scheduler", dict(type="MultiStepLR", gama=1), "did you mean gamma?"),
    ],
)
def test_check_config_finds(cfg, path, value, expected):
    check_config(cfg)
    *parents, last = path.split(".")
    node = cfg
    for key in parents:
        node = node[key]
    node[last] = value
    assert expected in message(check_config, cfg)


def test_check_config_names_the_file(tmp_path):
    (tmp_path / "own.py").write_text("model = dict(type='ToyTrunk', nam='x')\n")
    text = message(check_config, load_config(tmp_path / "own.py"))
    assert text == f"{tmp_path}/own.py: model: ToyTrunk takes no 'nam'; did you mean name?"


def test_accepted_keys():
    assert accepted_keys(ToyTrunk) == ["name", "weights", "args"]
    # the name is given by the subclass, not by the config
    assert accepted_keys(ToyWideTrunk) == ["width", "weights", "args"]
    assert accepted_keys(ToyAnything) is None
    assert accepted_keys(object) == []
    assert accepted_keys(lambda x, *, y=1: None) == ["x", "y"]
    assert accepted_keys(lambda x, **rest: None) is None

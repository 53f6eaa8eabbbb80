"""Does a last stage of self-labelling help SeCu?

Paper 2311.14310 (SeCu) may end with SCAN's last stage: a strongly changed view learns the confident label of a mildly
changed one. Its learning rate, views and balance were not found, so that these are ours. Levels: the stage in the last
fifth and the last two fifths of the epochs, with thresholds of 0.9 and 0.7. Every arm has the same number of epochs, so
the stage takes the place of as much training.

What differs from the paper: an MLP with batch norm on its output, noise for views on 64 principal axes of 1,000 images
of Fashion-MNIST, 40 epochs (`studies/_settings.py`). Batches of the stage have 256 points, or an epoch of it would be
one step.
"""

from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study, Tier
from studies._settings import CLOTHES_1000, PAPER_SECU, SECONDS, SECU_ON_AXES, quick, without

STUDY = Study(
    question="Do the last epochs bring more as self-labelling than as more of the same training?",
    paper="2311.14310",
    datasets=(CLOTHES_1000,),
    n_epochs=40,
    seeds=16,
    metric="nmi",
    margin=0.03,
    beats_chance_by=0.3,
    design=one_factor(
        "secu",
        {
            "last stage": {
                "a fifth, 0.9": {"self_labelling": True, "self_label_warmup": 2, "self_label_batch": 256},
                "a fifth, 0.7": {
                    "self_labelling": True,
                    "self_label_warmup": 2,
                    "self_label_batch": 256,
                    "self_label_threshold": 0.7,
                },
                "two fifths, 0.9": {
                    "self_labelling": True,
                    "self_label_share": 0.4,
                    "self_label_warmup": 4,
                    "self_label_batch": 256,
                },
            }
        },
        base=SECU_ON_AXES,
    ),
    tiers={
        "quick": quick("digits:subset=1000"),
        "paper": Tier(
            datasets=("cifar10",),
            n_epochs=401,
            protocol="split",
            base={"secu": without(PAPER_SECU)},
            epoch_seconds={"secu": SECONDS["secu"]},
        ),
    },
)

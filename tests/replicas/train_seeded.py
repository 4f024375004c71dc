"""fairseq-train whose draws belong to a batch and not to a process, so that replicas can be compared with one process.

It also lets ``--ddp-backend pytorch_ddp`` run on a CPU: fairseq names a device, which torch wants for GPUs only.
"""

import torch
from fairseq.models import distributed_fairseq_model
from fairseq_cli.train import cli_main
from torch.nn.parallel import DistributedDataParallel

from vqnat.tasks.latent_translation import LatentTranslationTask

train_step = LatentTranslationTask.train_step


class OnCPU(DistributedDataParallel):
    """torch's own, without devices."""

    def __init__(self, module, device_ids=None, output_device=None, **more):
        super().__init__(module, **more)


def seeded(self, sample, model, criterion, optimizer, update_num, ignore_grad=False):
    torch.manual_seed(1000 * update_num + int(sample["id"].sum()))
    return train_step(self, sample, model, criterion, optimizer, update_num, ignore_grad)


LatentTranslationTask.train_step = seeded
distributed_fairseq_model.DistributedDataParallel = OnCPU

if __name__ == "__main__":
    cli_main()

"""A linear clusterer as a Lightning module: sure of each point, balanced over all of them."""

import lightning
import torch
from torch import nn
from torch.utils.data import DataLoader


def entropy(p):
    """Return the entropy of each distribution in (N, K)."""
    return -(p * p.clamp_min(1e-8).log()).sum(1)


class Clusterer(lightning.LightningModule):
    """Trained on `data.x`; `assignments()` has the cluster of each point."""

    def __init__(self, data, lr=1e-2, balance=True):
        super().__init__()
        self.x, self.lr, self.balance = torch.from_numpy(data.x).flatten(1), lr, balance
        self.head = nn.Linear(self.x.shape[1], data.n_clusters)

    def train_dataloader(self):
        """Return shuffled batches."""
        return DataLoader(self.x, batch_size=100, shuffle=True)

    def configure_optimizers(self):
        """Return the optimiser."""
        return torch.optim.Adam(self.parameters(), lr=self.lr)

    def training_step(self, batch, index):
        """Return the loss of a batch."""
        p = self.head(batch).softmax(1)
        loss = entropy(p).mean() - (2 * entropy(p.mean(0, keepdim=True)).mean() if self.balance else 0)
        self.log("loss", loss, on_step=False, on_epoch=True)
        return loss

    def assignments(self):
        """Return the cluster of each point."""
        with torch.no_grad():
            return self.head(self.x).argmax(1)

    def predict_step(self, batch, index):
        """Return the cluster of each new point (`orchestrate predict`)."""
        return self.head(batch.flatten(1)).argmax(1)

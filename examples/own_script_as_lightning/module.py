"""The script of own_script/ as a Lightning module: what builds it, its batches, its step, its clusters."""

import lightning
import torch
from torch import nn
from torch.utils.data import DataLoader


class Clusterer(lightning.LightningModule):
    """An autoencoder, soft assignment, a balance term."""

    def __init__(self, data, lr=1e-3, alpha=1.0, latent=10, balance=True, reconstruct=True, noise=True):
        super().__init__()
        self.save_hyperparameters(ignore="data")
        self.x = torch.from_numpy(data.x).flatten(1)
        self.encoder = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, latent))
        self.decoder = nn.Sequential(nn.Linear(latent, 64), nn.ReLU(), nn.Linear(64, 64))
        self.centres = nn.Parameter(torch.randn(data.n_clusters, latent))

    def soft_assignment(self, z):
        """Return Student's t assignments (N, K)."""
        alpha = self.hparams.alpha
        q = (1 + torch.cdist(z, self.centres) ** 2 / alpha) ** (-(alpha + 1) / 2)
        return q / q.sum(1, keepdim=True)

    def train_dataloader(self):
        """Return shuffled batches."""
        return DataLoader(self.x, batch_size=128, shuffle=True)

    def configure_optimizers(self):
        """Return the optimiser."""
        return torch.optim.Adam(self.parameters(), lr=self.hparams.lr)

    def training_step(self, batch, index):
        """Return the loss of a batch."""
        z = self.encoder(batch + 0.1 * torch.randn_like(batch) if self.hparams.noise else batch)
        q = self.soft_assignment(z)
        loss = -(q * q.clamp_min(1e-8).log()).sum(1).mean()  # each point sure of its cluster
        if self.hparams.reconstruct:
            loss = loss + nn.functional.mse_loss(self.decoder(z), batch)
        if self.hparams.balance:
            mean = q.mean(0)
            loss = loss + (mean * mean.clamp_min(1e-8).log()).sum()
        self.log("loss", loss, on_step=False, on_epoch=True)
        return loss

    def assignments(self):
        """Return the cluster of each point."""
        with torch.no_grad():
            return self.soft_assignment(self.encoder(self.x)).argmax(1)

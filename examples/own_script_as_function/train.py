"""A small deep clustering script: an autoencoder, soft assignment, a balance term."""

import argparse

import torch
from sklearn.datasets import load_digits
from sklearn.metrics import normalized_mutual_info_score
from torch import nn

from orchestrator.knobs import Choice, knob
from orchestrator.own import trainable

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=5)
parser.add_argument("--lr", type=float, default=1e-3)
parser.add_argument("--alpha", type=float, default=1.0)
parser.add_argument("--latent", type=int, default=10)
parser.add_argument("--balance", action=argparse.BooleanOptionalAction, default=True)
parser.add_argument("--reconstruct", action=argparse.BooleanOptionalAction, default=True)
parser.add_argument("--noise", action=argparse.BooleanOptionalAction, default=True)
parser.add_argument("--seed", type=int, default=0)


@trainable(knobs=dict.fromkeys(["balance", "reconstruct", "noise"], knob(True, Choice(True, False))))
def train(config, seed, report):
    """Train once; `config` has the knobs, everything else its default."""
    args = parser.parse_args([], argparse.Namespace(**vars(config), epochs=config.n_epochs, seed=seed))

    torch.manual_seed(args.seed)
    x, y = load_digits(return_X_y=True)
    x = torch.from_numpy(x / 16).float()
    encoder = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, args.latent))
    decoder = nn.Sequential(nn.Linear(args.latent, 64), nn.ReLU(), nn.Linear(64, 64))
    centres = nn.Parameter(torch.randn(10, args.latent))
    optimiser = torch.optim.Adam([*encoder.parameters(), *decoder.parameters(), centres], lr=args.lr)

    def soft_assignment(z):
        """Return Student's t assignments (N, K)."""
        q = (1 + torch.cdist(z, centres) ** 2 / args.alpha) ** (-(args.alpha + 1) / 2)
        return q / q.sum(1, keepdim=True)

    for epoch in range(args.epochs):
        for batch in torch.randperm(len(x)).split(128):
            seen = x[batch] + 0.1 * torch.randn(len(batch), 64) if args.noise else x[batch]
            z = encoder(seen)
            q = soft_assignment(z)
            loss = -(q * q.clamp_min(1e-8).log()).sum(1).mean()  # each point sure of its cluster
            if args.reconstruct:
                loss = loss + nn.functional.mse_loss(decoder(z), x[batch])
            if args.balance:
                mean = q.mean(0)
                loss = loss + (mean * mean.clamp_min(1e-8).log()).sum()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        with torch.no_grad():
            labels = soft_assignment(encoder(x)).argmax(1).numpy()
        nmi = normalized_mutual_info_score(y, labels)
        report(epoch=epoch, loss=float(loss), nmi=float(nmi))

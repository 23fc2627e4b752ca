"""Training loops over PyTorch, by hand and with helpers. Argument: which one."""

import logging
import sys

import torch
from torch import nn

torch.manual_seed(1)
x = torch.randn(128, 4)
y = (x.sum(1) > 0).long()
model = nn.Linear(4, 2)
optimizer = torch.optim.SGD(model.parameters(), 0.5)
data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), 32)


def batch(a, b):
    loss = nn.functional.cross_entropy(model(a), b)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


def accuracy():
    return (model(x).argmax(1) == y).float().mean()


def epochs(count=3):
    for epoch in range(1, count + 1):
        yield epoch, sum(batch(a, b).item() for a, b in data) / len(data)


def tensor():
    for _ in epochs():
        print("loss:", nn.functional.cross_entropy(model(x), y))
    print("accuracy", accuracy())


def mnist_style():
    for epoch in (1, 2):
        for i, (a, b) in enumerate(data):
            loss = batch(a, b)
            print("Train Epoch: {} [{}/{} ({:.0f}%)]\tLoss: {:.6f}".format(epoch, i * 32, 128, 100.0 * i / 4, loss.item()))
        right = int(accuracy() * 128)
        print("\nTest set: Average loss: {:.4f}, Accuracy: {}/{} ({:.0f}%)\n".format(loss.item(), right, 128, 100.0 * right / 128))


def quickstart():
    for epoch in range(2):
        print(f"Epoch {epoch + 1}\n-------------------------------")
        for i, (a, b) in enumerate(data):
            print(f"loss: {batch(a, b).item():>7f}  [{(i + 1) * 32:>5d}/{128:>5d}]")
        print(f"Test Error: \n Accuracy: {100 * accuracy():>0.1f}%, Avg loss: {0.25 / (epoch + 1):>8f} \n")


def bars():
    import tqdm

    for epoch in range(2):
        with tqdm.tqdm(data, desc=f"Epoch {epoch}", mininterval=0, ncols=90) as bar:
            for a, b in bar:
                bar.set_postfix(loss=batch(a, b).item())
        tqdm.tqdm.write(f"epoch {epoch}: accuracy={accuracy():.4f}")


def described():
    import tqdm

    bar = tqdm.tqdm(data, mininterval=0, ncols=90)
    for a, b in bar:
        bar.set_description(f"loss: {batch(a, b):.4f}")


def rich_bar():
    import rich.progress

    with rich.progress.Progress() as progress:
        task = progress.add_task("loss", total=4)
        for a, b in data:
            batch(a, b)
            progress.advance(task)
    print(f"val_accuracy={accuracy():.3f}")


def logged():
    logging.basicConfig(format="%(asctime)s - %(name)s - %(levelname)s - %(message)s", level="INFO", stream=sys.stdout)
    for epoch, loss in epochs():
        logging.getLogger("trainer").info("Epoch %d | Train Loss: %.3f | Train Acc: %.2f%%", epoch, loss, 100 * accuracy())


def dictionary():
    for epoch, loss in epochs():
        print({"epoch": epoch, "train/loss": loss, "val/acc": accuracy()})


def fstring():
    for epoch, loss in epochs():
        print(f"{epoch=} {loss=} acc={accuracy().item():.2%}")


def columns():
    print(f"{'epoch':>5} {'loss':>8} {'acc':>6}")
    for epoch, loss in epochs():
        print(f"{epoch:>5} {loss:>8.4f} {accuracy():>6.3f}")


def csv():
    print("epoch,loss,acc")
    for epoch, loss in epochs():
        print(epoch, f"{loss:.5f}", f"{accuracy():.4f}", sep=",")


def markdown():
    print("| epoch | loss | acc |\n|---|---|---|")
    for epoch, loss in epochs():
        print(f"| {epoch} | {loss:.4f} | {accuracy():.4f} |")


def json_lines():
    import json

    for epoch, loss in epochs():
        print(json.dumps({"epoch": epoch, "loss": loss, "metrics": {"acc": accuracy().item()}}))


def traceback():
    import traceback

    for epoch, loss in epochs(1):
        print(f"loss: {loss:.4f}")
    try:
        nn.functional.cross_entropy(model(x[:, :2]), y, label_smoothing=0.5)
    except RuntimeError:
        traceback.print_exc(file=sys.stdout)


def settings():
    import argparse

    parser = argparse.ArgumentParser()
    parser.add_argument("--loss", type=float, default=0.5)
    parser.add_argument("--accuracy", type=float, default=0.99)
    print(parser.parse_args([]))
    print("args:", vars(parser.parse_args([])))
    print(optimizer)


def usage():
    import argparse

    parser = argparse.ArgumentParser(prog="train.py", description="Trains until accuracy 0.99")
    parser.add_argument("--loss", type=float, default=0.5, help="the loss to stop at (default: %(default)s)")
    parser.print_help()


def ignite():
    from ignite.contrib.handlers import ProgressBar
    from ignite.engine import Engine, Events
    from ignite.metrics import Accuracy, RunningAverage

    trainer = Engine(lambda engine, pair: batch(*pair).item())
    evaluator = Engine(lambda engine, pair: (model(pair[0]), pair[1]))
    RunningAverage(output_transform=lambda out: out).attach(trainer, "loss")
    Accuracy().attach(evaluator, "accuracy")
    ProgressBar(mininterval=0, ncols=90).attach(trainer, ["loss"])

    @trainer.on(Events.EPOCH_COMPLETED)
    def show(engine):
        evaluator.run(data)
        print(f"Validation Results - Epoch: {engine.state.epoch}  Avg accuracy: {evaluator.state.metrics['accuracy']:.2f}")

    trainer.run(data, 2)


def skorch():
    import numpy as np
    from skorch import NeuralNetClassifier

    NeuralNetClassifier(nn.Linear(4, 2), criterion=nn.CrossEntropyLoss, max_epochs=5, lr=0.3).fit(np.array(x), np.array(y))


def lightning(checkpoint=False, rich=False):
    import lightning as L

    class Net(L.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = nn.Linear(4, 2)

        def training_step(self, pair, _):
            loss = nn.functional.cross_entropy(self.net(pair[0]), pair[1])
            self.log("train_loss", loss, prog_bar=True)
            return loss

        def validation_step(self, pair, _):
            self.log("val_loss", nn.functional.cross_entropy(self.net(pair[0]), pair[1]), prog_bar=True)

        def test_step(self, pair, _):
            self.log("test_acc", (self.net(pair[0]).argmax(1) == pair[1]).float().mean())

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 0.5)

    calls = [L.pytorch.callbacks.EarlyStopping("val_loss", patience=1, verbose=True)] if checkpoint else []
    if rich:
        calls.append(L.pytorch.callbacks.RichProgressBar())
    trainer = L.Trainer(max_epochs=2, logger=False, enable_checkpointing=False, callbacks=calls, accelerator="cpu", log_every_n_steps=1)
    net = Net()
    trainer.fit(net, data, data)
    trainer.test(net, data, verbose=True)


def lightning_stopping():
    lightning(checkpoint=True)


def lightning_rich():
    lightning(rich=True)


def fastai():
    from fastai.callback.progress import CSVLogger  # noqa: F401
    from fastai.data.core import DataLoaders
    from fastai.learner import Learner
    from fastai.metrics import accuracy as right

    learner = Learner(DataLoaders(data, data), nn.Linear(4, 2), loss_func=nn.CrossEntropyLoss(), metrics=right, opt_func=None or __import__("fastai.optimizer", fromlist=["Adam"]).Adam)
    learner.fit(3)


def accelerate():
    from accelerate import Accelerator
    from accelerate.logging import get_logger

    logging.basicConfig(format="%(asctime)s - %(levelname)s - %(name)s - %(message)s", level="INFO", stream=sys.stdout)
    helper = Accelerator(cpu=True)
    for epoch, loss in epochs():
        get_logger("train").info(f"epoch {epoch}: {{'accuracy': {accuracy().item()}}}", main_process_only=True)
        helper.print(f"epoch {epoch}: train_loss: {loss:.4f}")


def timm():
    from timm.utils import AverageMeter

    losses = AverageMeter()
    for i, (a, b) in enumerate(data):
        losses.update(batch(a, b).item())
        print(f"Train: 0 [{i:>4d}/4 ({25 * (i + 1):>3.0f}%)]  Loss: {losses.val:#.3g} ({losses.avg:#.3g})  Time: 0.010s,  3200.00/s  LR: 5.000e-01")
    print(f" * Acc@1 {100 * accuracy():.3f} Acc@5 100.000")


def tabnet():
    import numpy as np
    from pytorch_tabnet.tab_model import TabNetClassifier

    TabNetClassifier(seed=0, verbose=1).fit(np.array(x), np.array(y), eval_set=[(np.array(x), np.array(y))], eval_metric=["auc"], max_epochs=3, batch_size=64, virtual_batch_size=32)


globals()[sys.argv[1]]()

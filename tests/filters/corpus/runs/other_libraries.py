"""Other libraries of Python that print as they learn. Argument: which one."""

import logging
import sys

import numpy as np

rng = np.random.default_rng(1)
x = rng.normal(size=(120, 4))
y = (x.sum(1) > 0).astype(int)


def statsmodels_ols():
    import statsmodels.api as sm

    print(sm.OLS(x[:, 0] * 2 + x[:, 1] + rng.normal(size=120), sm.add_constant(x)).fit().summary())


def statsmodels_logit():
    import statsmodels.api as sm

    print(sm.Logit((x[:, 0] + rng.normal(size=120) > 0).astype(int), x).fit().summary2())


def optuna_search():
    import optuna

    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(0))
    study.optimize(lambda trial: trial.suggest_float("x", -1, 1) ** 2, n_trials=4)
    print("Best value:", study.best_value)


def flax_loop():
    import jax
    import jax.numpy as jnp
    import optax

    w = jnp.zeros(4)
    optimizer = optax.sgd(0.5)
    state = optimizer.init(w)
    value = jax.value_and_grad(lambda w: optax.sigmoid_binary_cross_entropy(x @ w, y).mean())
    for step in range(4):
        loss, gradient = value(w)
        updates, state = optimizer.update(gradient, state)
        w = optax.apply_updates(w, updates)
        print("step:", step, "loss:", loss, "grad_norm:", jnp.linalg.norm(gradient))
        print(f"train epoch: {step}, {loss = }")


def flax_metrics():
    import jax.numpy as jnp

    for epoch in range(3):
        print({"epoch": epoch, "train_loss": jnp.float32(1 / (epoch + 3)), "test_accuracy": jnp.array(1 - 0.3**(epoch + 1))})


def gensim_lda():
    from gensim import corpora, models

    logging.basicConfig(format="%(asctime)s : %(levelname)s : %(message)s", level=logging.INFO, stream=sys.stdout)
    words = [["cat", "dog", "cat"], ["stock", "bond"], ["dog", "cat"], ["bond", "stock", "stock"]]
    dictionary = corpora.Dictionary(words)
    models.LdaModel([dictionary.doc2bow(each) for each in words], 2, dictionary, passes=2, random_state=1, eval_every=1)


def spacy_train():
    import spacy
    from spacy.training import Example

    nlp = spacy.blank("en")
    nlp.add_pipe("textcat")
    texts = [("good film", {"cats": {"P": 1, "N": 0}}), ("bad film", {"cats": {"P": 0, "N": 1}})]
    examples = [Example.from_dict(nlp.make_doc(text), facts) for text, facts in texts]
    nlp.initialize(lambda: examples)
    for i in range(3):
        losses = {}
        nlp.update(examples, losses=losses)
        print("Losses", losses)
        print(i, nlp.evaluate(examples)["cats_score"], "cats_score:", round(losses["textcat"], 4))


def transformers_trainer():
    import torch
    from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

    torch.manual_seed(0)
    config = BertConfig(vocab_size=30, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
    rows = [{"input_ids": torch.randint(0, 30, (6,)), "labels": torch.tensor(i % 2)} for i in range(32)]
    options = dict(output_dir="/tmp/trainer", num_train_epochs=2, per_device_train_batch_size=8, logging_steps=2, report_to=[], save_strategy="no", use_cpu=True, eval_strategy="epoch")
    trainer = Trainer(
        BertForSequenceClassification(config), TrainingArguments(**options), train_dataset=rows, eval_dataset=rows,
        compute_metrics=lambda p: {"accuracy": float((p.predictions.argmax(1) == p.label_ids).mean())},
    )
    trainer.train()
    trainer.log_metrics("eval", trainer.evaluate())


def stable_baselines_ppo():
    from stable_baselines3 import PPO

    PPO("MlpPolicy", "CartPole-v1", n_steps=64, batch_size=32, n_epochs=2, verbose=1, seed=0, device="cpu").learn(192)


def stable_baselines_dqn():
    from stable_baselines3 import DQN

    DQN("MlpPolicy", "CartPole-v1", verbose=1, seed=0, learning_starts=50, device="cpu").learn(300, log_interval=4)


def stable_baselines_eval():
    from stable_baselines3 import A2C
    from stable_baselines3.common.callbacks import EvalCallback
    from stable_baselines3.common.evaluation import evaluate_policy
    import gymnasium

    env = gymnasium.make("CartPole-v1")
    model = A2C("MlpPolicy", "CartPole-v1", verbose=0, seed=0, device="cpu")
    model.learn(300, callback=EvalCallback(env, eval_freq=100, n_eval_episodes=2))
    mean, std = evaluate_policy(model, env, 2)
    print(f"mean_reward={mean:.2f} +/- {std:.2f}")


def vowpal_wabbit():
    import vowpalwabbit

    learner = vowpalwabbit.Workspace("--loss_function logistic --progress 30 -b 10")
    for row, label in zip(x, y, strict=True):
        learner.learn(f"{2 * label - 1} | " + " ".join(f"{i}:{v:.3f}" for i, v in enumerate(row)))
    learner.finish()


def fasttext_supervised():
    import fasttext

    with open("/tmp/fasttext.txt", "w") as file:
        file.writelines(f"__label__{i % 2} {'good' if i % 2 else 'bad'} film {i % 5}\n" for i in range(200))
    model = fasttext.train_supervised("/tmp/fasttext.txt", epoch=5, dim=8, thread=1, verbose=2)
    print("N\t%d\nP@1\t%.3f\nR@1\t%.3f" % model.test("/tmp/fasttext.txt"))


def prophet_optimizing():
    import cmdstanpy
    import pandas as pd
    from prophet import Prophet
    from prophet.diagnostics import cross_validation, performance_metrics

    cmdstanpy.disable_logging()
    days = pd.date_range("2025-01-01", periods=90)
    model = Prophet(weekly_seasonality=False, daily_seasonality=False, yearly_seasonality=False)
    model.fit(pd.DataFrame({"ds": days, "y": np.arange(90) + rng.normal(size=90)}))
    print(performance_metrics(cross_validation(model, "7 days", "30 days", "60 days", disable_tqdm=True))[["horizon", "mse", "rmse", "mape"]].head(3))


def hmmlearn_monitor():
    from hmmlearn.hmm import GaussianHMM

    logging.basicConfig()
    GaussianHMM(2, n_iter=4, tol=0, verbose=True, random_state=0).fit(x)


def river_progress():
    from river import datasets, evaluate, linear_model, metrics, preprocessing

    model = preprocessing.StandardScaler() | linear_model.LogisticRegression()
    evaluate.progressive_val_score(datasets.Phishing(), model, metrics.Accuracy() + metrics.F1(), print_every=400)


def paddle_fit():
    import paddle

    paddle.seed(1)
    data = paddle.io.TensorDataset([paddle.to_tensor(x, "float32"), paddle.to_tensor(y.reshape(-1, 1))])
    model = paddle.Model(paddle.nn.Linear(4, 2))
    model.prepare(paddle.optimizer.Adam(0.1, parameters=model.parameters()), paddle.nn.CrossEntropyLoss(), paddle.metric.Accuracy())
    model.fit(data, data, epochs=2, batch_size=40, verbose=2)


def ultralytics_train():
    import pathlib
    import shutil

    import cv2
    from ultralytics import YOLO

    root = pathlib.Path("/tmp/shapes")
    shutil.rmtree(root, ignore_errors=True)
    (root / "images").mkdir(parents=True)
    (root / "labels").mkdir()
    for i in range(8):
        image = np.zeros((64, 64, 3), np.uint8)
        cv2.rectangle(image, (8 + i, 8), (40 + i, 40), (255, 255, 255) if i % 2 else (255, 0, 0), -1)
        cv2.imwrite(str(root / f"images/{i}.png"), image)
        (root / f"labels/{i}.txt").write_text(f"{i % 2} {(24 + i) / 64} 0.375 0.5 0.5\n")
    (root / "data.yaml").write_text(f"path: {root}\ntrain: images\nval: images\nnames: [white, blue]\n")
    YOLO("yolov8n.yaml").train(data=str(root / "data.yaml"), epochs=2, imgsz=64, batch=4, workers=0, device="cpu", plots=False, amp=False, project="/tmp/yolo", exist_ok=True, verbose=True)


def ray_like():
    import pandas as pd

    print(pd.DataFrame({"loss": [0.5, 0.25], "accuracy": [0.8, 0.9]}, index=["trial_a", "trial_b"]))


def wandb_like():
    for i, value in enumerate((0.5, 0.25, 0.125)):
        print(f"[{i + 1}/3] train_loss: {value:.3f} | val_loss: {value * 1.1:.3f} | lr: {1e-3:.1e} | time: {i + 1}.2s")


globals()[sys.argv[1]]()

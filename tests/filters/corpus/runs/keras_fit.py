"""Keras 3 in its ways to print. Arguments: what, backend."""

import os
import sys

os.environ["KERAS_BACKEND"] = sys.argv[2]
import keras
import numpy as np

keras.utils.set_random_seed(1)
x = np.random.default_rng(1).normal(size=(160, 6)).astype("float32")
y = (x[:, 0] + x[:, 1] > 0).astype("int32")
what = sys.argv[1]
last = keras.layers.Dense(1, activation=None if what == "regression" else "sigmoid")
model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4, activation="relu"), last])
if what == "regression":
    model.compile("adam", "mse", metrics=["mae"])
else:
    model.compile(keras.optimizers.Adam(0.05), "binary_crossentropy", metrics=["accuracy", keras.metrics.AUC(name="auc")])

fit = {"validation_split": 0.25, "epochs": 3, "batch_size": 20}
if what == "callback":
    show = lambda epoch, logs: print(f"epoch {epoch}:", {k: round(v, 4) for k, v in logs.items()})
    model.fit(x, y, verbose=0, callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=show)], **fit)
elif what == "checkpoint":
    keep = keras.callbacks.ModelCheckpoint("/tmp/best.keras", monitor="val_loss", save_best_only=True, verbose=1)
    stop = keras.callbacks.EarlyStopping(monitor="val_loss", patience=1, verbose=1)
    model.fit(x, y, verbose=2, callbacks=[keep, stop], **fit)
elif what == "evaluate":
    model.fit(x, y, verbose=0, **fit)
    score = model.evaluate(x, y, verbose=2)
    print("Test loss:", score[0])
    print("Test accuracy:", score[1])
elif what == "history":
    print(model.fit(x, y, verbose=0, **fit).history)
else:
    model.fit(x, y, verbose={"lines": 2, "regression": 2, "bars": 1}[what], **fit)

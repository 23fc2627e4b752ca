"""Keras on scikit-learn's handwritten digits; KERAS_BACKEND chooses the backend."""

import keras
from sklearn.datasets import load_digits

x, y = load_digits(return_X_y=True)
keras.utils.set_random_seed(1)
model = keras.Sequential(
    [keras.layers.Dense(32, activation="relu"), keras.layers.Dense(10, activation="softmax")]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x / 16, y, epochs=3, batch_size=256, validation_split=0.2)

"""LightGBM on the breast cancer set of scikit-learn, with two evaluation sets."""

import lightgbm
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

x, y = load_breast_cancer(return_X_y=True)
x_train, x_valid, y_train, y_valid = train_test_split(x, y, random_state=1)
train = lightgbm.Dataset(x_train, y_train)
lightgbm.train(
    {"objective": "binary", "metric": ["auc", "binary_logloss"], "verbose": 1, "num_threads": 1},
    train,
    num_boost_round=10,
    valid_sets=[train, lightgbm.Dataset(x_valid, y_valid, reference=train)],
    callbacks=[lightgbm.log_evaluation(1)],
)

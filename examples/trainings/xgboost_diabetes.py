"""XGBoost on the diabetes set of scikit-learn."""

import xgboost
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

x, y = load_diabetes(return_X_y=True)
x_train, x_valid, y_train, y_valid = train_test_split(x, y, random_state=1)
train, valid = xgboost.DMatrix(x_train, y_train), xgboost.DMatrix(x_valid, y_valid)
xgboost.train(
    {"eval_metric": ["rmse", "mae"], "nthread": 1, "seed": 1},
    train,
    num_boost_round=12,
    evals=[(train, "train"), (valid, "eval")],
)

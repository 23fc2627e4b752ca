"""Gradient boosting libraries that print as they learn. Argument: which one."""

import sys

import numpy as np
from sklearn import datasets, model_selection

X, y = datasets.load_breast_cancer(return_X_y=True)
Xd, yd = datasets.load_diabetes(return_X_y=True)
a, b, c, d = model_selection.train_test_split(X, y, random_state=0)
e, f, g, h = model_selection.train_test_split(Xd, yd, random_state=0)
three = np.digitize(yd, [100, 180])


def xgboost_sklearn():
    import xgboost

    xgboost.XGBClassifier(n_estimators=6, eval_metric=["auc", "logloss"]).fit(a, c, eval_set=[(a, c), (b, d)])


def xgboost_early():
    import xgboost

    train, valid = xgboost.DMatrix(e, g), xgboost.DMatrix(f, h)
    watch = [(train, "train"), (valid, "valid")]
    xgboost.train({"max_depth": 6, "eta": 0.5}, train, 40, watch, early_stopping_rounds=3, verbose_eval=2)


def xgboost_cv():
    import xgboost

    print(xgboost.cv({"max_depth": 2}, xgboost.DMatrix(Xd, yd), 4, nfold=3, verbose_eval=True, seed=0))


def xgboost_multi():
    import xgboost

    data = xgboost.DMatrix(Xd, three)
    xgboost.train({"objective": "multi:softprob", "num_class": 3, "eval_metric": "merror"}, data, 5, [(data, "train")])


def lightgbm_regression():
    import lightgbm

    call = [lightgbm.log_evaluation(2)]
    lightgbm.LGBMRegressor(n_estimators=8, verbose=-1).fit(e, g, eval_set=[(f, h)], eval_metric=["l1", "l2"], callbacks=call)


def lightgbm_early():
    import lightgbm

    call = [lightgbm.early_stopping(2), lightgbm.log_evaluation(1)]
    lightgbm.LGBMClassifier(n_estimators=30, learning_rate=0.7, verbose=-1).fit(a, c, eval_set=[(b, d)], callbacks=call)


def lightgbm_cv():
    import lightgbm

    lightgbm.cv({"objective": "binary", "verbose": -1}, lightgbm.Dataset(X, y), 4, nfold=3, callbacks=[lightgbm.log_evaluation(1)])


def catboost_classifier():
    import catboost

    model = catboost.CatBoostClassifier(iterations=8, custom_metric=["AUC"], train_dir="/tmp/catboost", random_seed=0)
    model.fit(a, c, eval_set=(b, d), metric_period=2)


def catboost_plain():
    import catboost

    catboost.CatBoostRegressor(iterations=6, train_dir="/tmp/catboost", random_seed=0).fit(e, g)


def ngboost_regressor():
    import ngboost

    ngboost.NGBRegressor(n_estimators=6, verbose_eval=2, random_state=0).fit(e, g, X_val=f, Y_val=h)


globals()[sys.argv[1]]()

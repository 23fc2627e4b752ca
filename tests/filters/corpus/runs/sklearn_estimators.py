"""Estimators of scikit-learn that print as they learn. Argument: which one."""

import sys

import pandas as pd
from sklearn import datasets, ensemble, linear_model, metrics, mixture, model_selection, neural_network, svm

X, y = datasets.load_breast_cancer(return_X_y=True)
Xd, yd = datasets.load_diabetes(return_X_y=True)
X = (X - X.mean(0)) / X.std(0)
a, b, c, d = model_selection.train_test_split(X, y, random_state=0)


def mlp():
    neural_network.MLPClassifier(hidden_layer_sizes=(8,), max_iter=6, verbose=True, random_state=0, early_stopping=True).fit(X, y)


def mlp_regressor():
    neural_network.MLPRegressor(hidden_layer_sizes=(8,), max_iter=5, verbose=True, random_state=0).fit(Xd, yd)


def sgd():
    linear_model.SGDClassifier(max_iter=4, tol=None, verbose=1, random_state=0).fit(X, y)


def boosting():
    ensemble.GradientBoostingClassifier(n_estimators=12, verbose=1, random_state=0).fit(X, y)


def boosting_subsample():
    ensemble.GradientBoostingRegressor(n_estimators=8, subsample=0.5, verbose=2, random_state=0).fit(Xd, yd)


def histogram_boosting():
    ensemble.HistGradientBoostingClassifier(max_iter=5, verbose=2, early_stopping=True, random_state=0).fit(X, y)


def mixture_model():
    mixture.GaussianMixture(3, verbose=2, verbose_interval=2, random_state=0, n_init=1).fit(X[:, :3])


def cross_validation():
    model_selection.GridSearchCV(svm.SVC(), {"C": [0.1, 1]}, cv=3, verbose=3).fit(X, y)


def report():
    model = linear_model.LogisticRegression().fit(a, c)
    print(metrics.classification_report(d, model.predict(b), target_names=["malignant", "benign"]))
    print("roc_auc:", metrics.roc_auc_score(d, model.decision_function(b)))
    print(f"log_loss = {metrics.log_loss(d, model.predict_proba(b)):.6f}")


def numbers():
    model = linear_model.Ridge().fit(Xd, yd)
    predicted = model.predict(Xd)
    print({"r2": metrics.r2_score(yd, predicted), "rmse": metrics.root_mean_squared_error(yd, predicted)})
    print("mean_absolute_error", metrics.mean_absolute_error(yd, predicted))
    print("explained variance is %.3f" % metrics.explained_variance_score(yd, predicted))


def table():
    rows = []
    for depth in (1, 2, 3):
        model = ensemble.RandomForestClassifier(10, max_depth=depth, random_state=0).fit(a, c)
        rows.append({"max_depth": depth, "train_accuracy": model.score(a, c), "test_accuracy": model.score(b, d)})
    frame = pd.DataFrame(rows)
    if sys.argv[2:] == ["csv"]:
        print(frame.to_csv(index=False))
    elif sys.argv[2:] == ["series"]:
        print(frame.iloc[-1])
    else:
        print(frame)


globals()[sys.argv[1]]()

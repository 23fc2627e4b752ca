"""CatBoost on the diabetes set of scikit-learn."""

from catboost import CatBoostRegressor
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

x, y = load_diabetes(return_X_y=True)
x_train, x_valid, y_train, y_valid = train_test_split(x, y, random_state=1)
model = CatBoostRegressor(iterations=12, random_seed=1, thread_count=1, allow_writing_files=False)
model.fit(x_train, y_train, eval_set=(x_valid, y_valid), verbose=True)

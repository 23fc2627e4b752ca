"""A network on scikit-learn's handwritten digits; prints the usual format: key=value."""

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

x, y = load_digits(return_X_y=True)
x_train, x_valid, y_train, y_valid = train_test_split(x / 16, y, random_state=1)
network = MLPClassifier(random_state=1)
for epoch in range(1, 11):
    network.partial_fit(x_train, y_train, classes=range(10))
    print(
        f"epoch {epoch}: Train-accuracy={network.score(x_train, y_train):.4f} "
        f"Validation-accuracy={network.score(x_valid, y_valid):.4f} loss={network.loss_:.6f}",
        flush=True,
    )

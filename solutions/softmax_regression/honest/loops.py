import math

import numpy as np


def predict(W, b, X):
    rows = []
    for x in X:
        scores = [sum(w_d * x_d for w_d, x_d in zip(w, x)) + b_k for w, b_k in zip(W, b)]
        largest = max(scores)
        exponentials = [math.exp(score - largest) for score in scores]
        rows.append([e / sum(exponentials) for e in exponentials])
    return np.array(rows)


def loss(y_hat, y):
    total = 0.0
    for row, truth in zip(y_hat, y):
        for probability, is_true in zip(row, truth):
            if is_true:
                total -= math.log(probability)
    return total / len(y)


def dJ_dW(X, y, y_hat):
    gradient = np.zeros((y.shape[1], X.shape[1]))
    for x, truth, row in zip(X, y, y_hat):
        gradient += np.outer(row - truth, x)
    return gradient / len(X)

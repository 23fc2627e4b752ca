#!/bin/bash
# Tools outside Python that print as they learn. Argument: which one.
cd "$(mktemp -d)"
awk 'BEGIN { srand(1); for (i = 0; i < 200; i++) { x = rand() - .5; y = rand() - .5; printf "%s 1:%.4f 2:%.4f\n", (x + y > 0 ? "+1" : "-1"), x, y } }' > train.svm
case $1 in
  libsvm) svm-train train.svm model; svm-predict train.svm model out ;;
  libsvm_cv) svm-train -v 3 -q train.svm ;;
  libsvm_regression) svm-train -s 3 -v 3 train.svm ;;
  liblinear) liblinear-train train.svm model; liblinear-predict train.svm model out ;;
  liblinear_cv) liblinear-train -v 3 -q train.svm ;;
  awk) awk 'BEGIN { w = 4; for (i = 1; i <= 5; i++) { w -= .2 * w; printf "epoch %d loss=%g weight=%g\n", i, w * w, w } }' ;;
  awk_table) awk 'BEGIN { print "epoch\tloss\taccuracy"; for (i = 1; i <= 4; i++) printf "%d\t%.4f\t%.2f\n", i, 1 / i, 1 - 1 / (i + 1) }' ;;
  bash) for i in 1 2 3; do echo "[$i/3] rmse: 0.$((9 - i))5, r2: -0.$i"; done ;;
  bash_trace) set -x; loss=0.25; echo "loss=0.5" ;;
  octave) octave-cli --no-gui -q --eval 'loss = 0.125
    accuracy = [0.5 0.75]
    for i = 1:3 printf("epoch %d: cost = %.4f\n", i, 1 / i); end
    fprintf("Final accuracy: %.2f%%\n", 93.5)' ;;
  octave_struct) octave-cli --no-gui -q --eval 'result.loss = 0.125; result.accuracy = 0.9; result' ;;
  weka) cat > t.arff <<'DATA'
@relation t
@attribute x numeric
@attribute y numeric
@attribute c {a,b}
@data
DATA
    sed 's/^+1/a/; s/^-1/b/; s/[12]://g' train.svm | awk '{ print $2 "," $3 "," (NR % 9 ? $1 : "a") }' >> t.arff
    java -cp /usr/share/java/weka.jar:/usr/share/java/weka-3.6.14.jar:/usr/share/java/java-cup-runtime.jar:/usr/share/java/java-cup.jar weka.classifiers.functions.Logistic -t t.arff ;;
  weka_regression) cat > t.arff <<'DATA'
@relation t
@attribute x numeric
@attribute y numeric
@data
DATA
    sed 's/^.1//; s/[12]://g' train.svm | awk '{ print $1 "," $1 * 2 + $2 / 5 }' >> t.arff
    java -cp /usr/share/java/weka.jar:/usr/share/java/weka-3.6.14.jar:/usr/share/java/java-cup-runtime.jar:/usr/share/java/java-cup.jar weka.classifiers.functions.LinearRegression -t t.arff ;;
esac

/* Training steps as one writes them in C when nothing else matters: for these networks only, whose
   sizes are constants, compiled for the processor at hand.

   Numbers of a sample lie side by side, and so do the weights of an input, padded to whole vectors: no
   matrix is turned around but the small ones between layers.  Sums stay in registers. */

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__)
#define LANES 8
#elif defined(__AVX__)
#define LANES 4
#else
#define LANES 2
#endif
#define INLINE static inline __attribute__((always_inline))
#define PADDED(m) (((m) + LANES - 1) / LANES * LANES)
#define MOST 256 /* samples */

typedef double lanes __attribute__((vector_size(8 * LANES), aligned(8), may_alias));
typedef int64_t whole __attribute__((vector_size(8 * LANES), aligned(8), may_alias));

INLINE lanes load(const double *at) { return *(const lanes *)at; }
INLINE void store(double *at, lanes x) { *(lanes *)at = x; }
INLINE lanes larger(lanes x, lanes y) { return (lanes)(((x > y) & (whole)x) | ((x <= y) & (whole)y)); }
INLINE double sum(lanes x) {
  double total = 0.0;
  for (int l = 0; l < LANES; l++) total += x[l];
  return total;
}

/* As the kernel's exp, for |x| < 700; x is never above 0 here. */
INLINE lanes exps(lanes x) {
  x = larger(x, (lanes){0} - 700.0);
  lanes shifted = x * 1.4426950408889634 + 6755399441055744.0, k = shifted - 6755399441055744.0;
  lanes r = (x - k * 6.93147180369123816490e-01) - k * 1.90821492927058770002e-10;
  lanes p = r * (1 / 6227020800.0) + 1 / 479001600.0;
  p = p * r + 1 / 39916800.0;
  p = p * r + 1 / 3628800.0;
  p = p * r + 1 / 362880.0;
  p = p * r + 1 / 40320.0;
  p = p * r + 1 / 5040.0;
  p = p * r + 1 / 720.0;
  p = p * r + 1 / 120.0;
  p = p * r + 1 / 24.0;
  p = p * r + 1 / 6.0;
  p = p * r + 0.5;
  p = p * (r * r) + r + 1.0;
  return p * (lanes)(((whole)shifted - INT64_C(0x4338000000000000) + 1023) << 52);
}

/* h = x W + b, or its relu, for `tall` samples and `wide` vectors of outputs. */
INLINE void outputs(const int tall, const int wide, const int n, const int m, const double *x,
                    const int apart, const double *w, const double *bias, double *h, const double *gate,
                    const int relu) {
  lanes sums[8][4], zero = {0};
  for (int k = 0; k < tall; k++)
    for (int l = 0; l < wide; l++) sums[k][l] = bias ? load(bias + LANES * l) : zero;
  for (int i = 0; i < n; i++)
    for (int k = 0; k < tall; k++)
      for (int l = 0; l < wide; l++) sums[k][l] += x[k * apart + i] * load(w + i * m + LANES * l);
  for (int k = 0; k < tall; k++)
    for (int l = 0; l < wide; l++) {
      lanes f = sums[k][l];
      if (relu) f = (lanes)((whole)f & (f > zero));
      if (gate) f = (lanes)((whole)f & (load(gate + k * m + LANES * l) > zero));
      store(h + k * m + LANES * l, f);
    }
}

/* The same for all samples and outputs; m is padded. */
INLINE void layer(const int n, const int m, const int samples, const double *x, const int apart,
                  const double *w, const double *bias, double *h, const double *gate, const int relu) {
  const int wide = m % (2 * LANES) ? 1 : 2;
  for (int j = 0; j < m; j += wide * LANES) {
    int s = 0;
    const double *b = bias ? bias + j : 0;
    for (; s + 8 <= samples; s += 8)
      outputs(8, wide, n, m, x + s * apart, apart, w + j, b, h + s * m + j, gate ? gate + s * m + j : 0, relu);
    for (; s + 4 <= samples; s += 4)
      outputs(4, wide, n, m, x + s * apart, apart, w + j, b, h + s * m + j, gate ? gate + s * m + j : 0, relu);
    for (; s < samples; s++)
      outputs(1, wide, n, m, x + s * apart, apart, w + j, b, h + s * m + j, gate ? gate + s * m + j : 0, relu);
  }
}

/* dw of `tall` inputs: the sums over the samples of x u. */
INLINE void slopes(const int tall, const int wide, const int m, const int samples, const double *x,
                   const int apart, const double *u, double *dw) {
  lanes sums[8][2], zero = {0};
  for (int k = 0; k < tall; k++)
    for (int l = 0; l < wide; l++) sums[k][l] = zero;
  for (int s = 0; s < samples; s++)
    for (int k = 0; k < tall; k++)
      for (int l = 0; l < wide; l++) sums[k][l] += x[s * apart + k] * load(u + s * m + LANES * l);
  for (int k = 0; k < tall; k++)
    for (int l = 0; l < wide; l++) store(dw + k * m + LANES * l, sums[k][l]);
}

INLINE void layer_slopes(const int n, const int m, const int samples, const double *x, const int apart,
                         const double *u, double *dw) {
  const int wide = m % (2 * LANES) ? 1 : 2;
  const double one = 1.0;
  for (int j = 0; j < m; j += wide * LANES) {
    int i = 0;
    for (; i + 8 <= n; i += 8) slopes(8, wide, m, samples, x + i, apart, u + j, dw + i * m + j);
    for (; i + 2 <= n; i += 2) slopes(2, wide, m, samples, x + i, apart, u + j, dw + i * m + j);
    for (; i < n; i++) slopes(1, wide, m, samples, x + i, apart, u + j, dw + i * m + j);
    slopes(1, wide, m, samples, &one, 0, u + j, dw + n * m + j);
  }
}

INLINE void turned(const int n, const int m, const int padded, const double *w, double *t) {
  for (int j = 0; j < m; j++)
    for (int i = 0; i < n; i++) t[j * n + i] = w[i * padded + j];
}

/* p -= rate g, after g += 2 penalty p; returns the sum of the squared p. */
INLINE double update(const int count, double *restrict p, double *restrict g, double penalty, double rate) {
  double total = 0.0;
  for (int i = 0; i < count; i++) {
    if (penalty) total += p[i] * p[i], g[i] += 2 * penalty * p[i];
    p[i] -= rate * g[i];
  }
  return total;
}

/* 2-16-16-1, relu, max-margin and L2.  Of the last layer, weights lie side by side, then the bias. */
double moons(int samples, const double *x, const double *t, double *p, double *g, double rate) {
  enum { W1 = 0, W2 = 3 * 16, W3 = W2 + 17 * 16, END = W3 + 17, WIDE = 16 / LANES };
  static double h1[MOST * 16], h2[MOST * 16], u2[MOST * 16], u1[MOST * 16], u[MOST], y[MOST], w2[16 * 16];
  layer(2, 16, samples, x, 2, p + W1, p + W1 + 2 * 16, h1, 0, 1);
  layer(16, 16, samples, h1, 16, p + W2, p + W2 + 16 * 16, h2, 0, 1);
  for (int s = 0; s < samples; s++) {
    lanes dot = {0};
    for (int l = 0; l < WIDE; l++) dot += load(h2 + 16 * s + LANES * l) * load(p + W3 + LANES * l);
    y[s] = sum(dot) + p[W3 + 16];
  }
  double loss = 0.0, bias = 0.0;
  for (int s = 0; s < samples; s++) {
    double margin = 1.0 - t[s] * y[s];
    loss += margin > 0.0 ? margin : 0.0;
    bias += u[s] = margin > 0.0 ? -t[s] / samples : 0.0;
  }
  lanes dw[2][WIDE] = {0};
  for (int s = 0; s < samples; s++)
    for (int l = 0; l < WIDE; l++) {
      lanes h = load(h2 + 16 * s + LANES * l);
      dw[s & 1][l] += u[s] * h;
      store(u2 + 16 * s + LANES * l, (lanes)((whole)(u[s] * load(p + W3 + LANES * l)) & (h > 0.0)));
    }
  for (int l = 0; l < WIDE; l++) store(g + W3 + LANES * l, dw[0][l] + dw[1][l]);
  g[W3 + 16] = bias;
  layer_slopes(16, 16, samples, h1, 16, u2, g + W2);
  turned(16, 16, 16, p + W2, w2);
  layer(16, 16, samples, u2, 16, w2, 0, u1, h1, 0);
  layer_slopes(2, 16, samples, x, 2, u1, g + W1);
  return loss / samples + 1e-4 * update(END, p, g, 1e-4, rate);
}

/* 64-32-10, relu, cross entropy; `t` is padded, and the biases of what is not there are -1e30. */
INLINE double digits(const int samples, const double *x, const double *t, double *p, double *g, double rate) {
  enum { M = PADDED(10), WIDE = M / LANES, W1 = 0, W2 = 65 * 32, END = W2 + 33 * M };
  static double h[MOST * 32], u[MOST * 32], y[MOST * M], w2[10 * 32];
  layer(64, 32, samples, x, 64, p + W1, p + W1 + 64 * 32, h, 0, 1);
  layer(32, M, samples, h, 32, p + W2, p + W2 + 32 * M, y, 0, 0);
  double loss = 0.0, product = 1.0, share = 1.0 / samples;
  lanes hit = {0};
  for (int s = 0; s < samples; s++) {
    lanes scores[WIDE], most, total = {0};
    for (int l = 0; l < WIDE; l++) scores[l] = load(y + M * s + LANES * l);
    most = scores[0];
    for (int l = 1; l < WIDE; l++) most = larger(most, scores[l]);
    double top = most[0];
    for (int l = 1; l < LANES; l++) top = most[l] > top ? most[l] : top;
    for (int l = 0; l < WIDE; l++) {
      lanes target = load(t + M * s + LANES * l);
      hit += (scores[l] - top) * target;
      total += scores[l] = exps(scores[l] - top);
    }
    double whole_sum = sum(total);
    product *= whole_sum; /* of 64 numbers up to 10: one logarithm for all */
    if (s % 64 == 63) loss += log(product), product = 1.0;
    for (int l = 0; l < WIDE; l++)
      store(y + M * s + LANES * l, scores[l] * (share / whole_sum) - load(t + M * s + LANES * l) * share);
  }
  loss += log(product) - sum(hit);
  layer_slopes(32, M, samples, h, 32, y, g + W2);
  turned(32, 10, M, p + W2, w2);
  layer(10, 32, samples, y, M, w2, 0, u, h, 0);
  layer_slopes(64, 32, samples, x, 64, u, g + W1);
  update(END, p, g, 0.0, rate);
  return loss * share;
}

double digits32(int samples, const double *x, const double *t, double *p, double *g, double rate) {
  (void)samples;
  return digits(32, x, t, p, g, rate);
}

double digits256(int samples, const double *x, const double *t, double *p, double *g, double rate) {
  (void)samples;
  return digits(256, x, t, p, g, rate);
}

/* 2-2-2, sigmoid, half the squared error, one sample: both neurons of a layer side by side. */
double lecture(int samples, const double *x, const double *t, double *p, double *g, double rate) {
  (void)samples;
  double z[2], y[2], u[2], v[2] = {0.0, 0.0}, loss = 0.0;
  lanes a = {0};
  for (int j = 0; j < 2; j++) a[j] = -fabs(p[3 * j] * x[0] + p[3 * j + 1] * x[1] + p[3 * j + 2]);
  lanes e = exps(a);
  for (int j = 0; j < 2; j++) {
    double in = p[3 * j] * x[0] + p[3 * j + 1] * x[1] + p[3 * j + 2];
    z[j] = (in >= 0.0 ? 1.0 : e[j]) / (1.0 + e[j]);
  }
  for (int j = 0; j < 2; j++) a[j] = -fabs(p[6 + 3 * j] * z[0] + p[7 + 3 * j] * z[1] + p[8 + 3 * j]);
  e = exps(a);
  for (int j = 0; j < 2; j++) {
    double in = p[6 + 3 * j] * z[0] + p[7 + 3 * j] * z[1] + p[8 + 3 * j];
    y[j] = (in >= 0.0 ? 1.0 : e[j]) / (1.0 + e[j]);
    double error = y[j] - t[j];
    loss += error * error / 2;
    u[j] = error * y[j] * (1.0 - y[j]);
    g[6 + 3 * j] = u[j] * z[0], g[7 + 3 * j] = u[j] * z[1], g[8 + 3 * j] = u[j];
    v[0] += u[j] * p[6 + 3 * j], v[1] += u[j] * p[7 + 3 * j];
  }
  for (int j = 0; j < 2; j++) {
    double up = v[j] * z[j] * (1.0 - z[j]);
    g[3 * j] = up * x[0], g[3 * j + 1] = up * x[1], g[3 * j + 2] = up;
  }
  for (int i = 0; i < 12; i++) p[i] -= rate * g[i];
  return loss;
}

/* x a + b, again and again: every number is kept for the way back. */
double chain(int links, const double *x, const double *kept, double *p, double *g, double rate) {
  double *before = (double *)kept, end = *x, a = p[0], b = p[1], up = 1.0, da = 0.0, db = 0.0;
  for (int k = 0; k < links; k++) before[k] = end, end = end * a + b;
  for (int k = links - 1; k >= 0; k--) db += up, da += before[k] * up, up *= a;
  g[0] = da, g[1] = db;
  p[0] -= rate * da, p[1] -= rate * db;
  return end;
}

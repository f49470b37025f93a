#include "eigen_step.h"

#include <chrono>
#include <cstddef>

#include <Eigen/Dense>

namespace gradmill::bench {
namespace {

using Matrix = Eigen::MatrixXf;  // column-major: a sample a column

class Network {
 public:
  Network(const std::vector<std::uint32_t>& units, std::uint32_t batch)
      : input_(Matrix::Random(units.front(), batch)), target_(Matrix::Zero(units.back(), batch)) {
    for (std::size_t n = 0; n + 1 < units.size(); ++n) {
      weights_.emplace_back(0.1F * Matrix::Random(units[n + 1], units[n]));
      biases_.emplace_back(Eigen::VectorXf::Zero(units[n + 1]));
      outputs_.emplace_back(units[n + 1], batch);
    }
    for (Eigen::Index column = 0; column < target_.cols(); ++column) {
      target_(column % target_.rows(), column) = 1;
    }
  }

  void step(float eta) {
    const std::size_t last = weights_.size() - 1;
    for (std::size_t n = 0; n <= last; ++n) {
      outputs_[n].noalias() = weights_[n] * (n == 0 ? input_ : outputs_[n - 1]);
      outputs_[n].colwise() += biases_[n];
      if (n < last) {
        outputs_[n] = outputs_[n].cwiseMax(0);
      }
    }
    Matrix& logits = outputs_[last];
    logits.rowwise() -= logits.colwise().maxCoeff().eval();
    logits = logits.array().exp();
    logits.array().rowwise() /= logits.colwise().sum().eval().array();
    delta_ = target_ - logits;
    for (std::size_t n = last + 1; n-- > 0;) {
      const Matrix& source = n == 0 ? input_ : outputs_[n - 1];
      if (n > 0) {
        back_.noalias() = weights_[n].transpose() * delta_;
        back_ = (source.array() > 0).select(back_, 0);
      }
      weights_[n].noalias() += eta * (delta_ * source.transpose());
      biases_[n] += eta * delta_.rowwise().sum();
      delta_.swap(back_);
    }
  }

 private:
  Matrix input_;
  Matrix target_;
  std::vector<Matrix> weights_;
  std::vector<Eigen::VectorXf> biases_;
  std::vector<Matrix> outputs_;
  Matrix delta_;
  Matrix back_;
};

}  // namespace

double eigen_training_rate(const std::vector<std::uint32_t>& units,
                           std::uint32_t batch,
                           double seconds) {
  using Clock = std::chrono::steady_clock;
  Network network(units, batch);
  network.step(1e-6F);
  std::size_t rows = 0;
  const Clock::time_point start = Clock::now();
  double passed = 0;
  while (passed < seconds) {
    network.step(1e-6F);
    rows += batch;
    passed = std::chrono::duration<double>(Clock::now() - start).count();
  }
  return static_cast<double>(rows) / passed;
}

}  // namespace gradmill::bench

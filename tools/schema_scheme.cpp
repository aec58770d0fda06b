// Settings of the three choices of a training scheme: views (also those made during the step), mixing,
// objective.
#include "tools/schema_row.h"

#include "tools/scheme.h"

namespace noisymix::schema {

Rows view_rows() {
  return {
      key("views.kind", NM_FIELD(views.kind), Texts{"plain", "augmix", "augmix_only", "augmax"},
          "Views of an image: plain crop/flip copies, the plain image followed by AugMix views, AugMix "
          "views alone, or what AugMax searches: plain, one AugMix view, and unmixed chains."),
      key("views.count", NM_FIELD(views.count), between(1, 16),
          "plain: equal copies; augmix: AugMix views, so that 2 makes three views in all; augmax: always 1."),
      key("views.crop", NM_FIELD(views.crop), Texts{"padded", "random_resized"},
          "padded: a random place in the image surrounded by zeros. random_resized, as for ImageNet: a box "
          "of random area and shape of the whole picture, resized to data.crop; then the flip."),
      key("views.area_low", NM_FIELD(views.area_low), ConfigRange{.low = 0, .high = 1, .low_open = true},
          "random_resized: smallest share of the picture's area."),
      key("views.padding", NM_FIELD(views.crop_flip.padding), between(0, 256),
          "Zero padding of the random crop in pixels; 0 switches the crop off."),
      key("views.flip", NM_FIELD(views.crop_flip.flip), ConfigRange{},
          "Flip half of the images left to right."),
      key("views.flip_first", NM_FIELD(views.crop_flip.flip_first), ConfigRange{},
          "Flip before the crop (NoisyMix, AugMix) or after it (NFM)."),
      key("views.jitter", NM_FIELD(views.jitter), between(0, 1),
          "Colour jitter: factors uniform on 1 -+ this for brightness, contrast and saturation, in random "
          "order; 0 is none. DiGN: 0.25."),
      key("views.rotation", NM_FIELD(views.rotation), between(0, 180),
          "Rotate by an angle uniform on -+ so many degrees (nearest pixel, black outside), after the "
          "jitter; 0 is none. DiGN: 2."),
      key("views.policy", NM_FIELD(views.policy), ConfigRange{},
          "Augmentation policy, applied last and shared by all views: none, cifar or imagenet "
          "(AutoAugment), or the JSON file of a Fast AutoAugment policy."),
      key("views.severity", NM_FIELD(views.augmix.severity), between(1, 10),
          "Strength of the AugMix operations: levels are uniform on [0.1, severity].", "D12"),
      key("views.random_severity", NM_FIELD(views.augmix.random_severity), ConfigRange{},
          "Draw the AugMix severity 1 .. 10 for each image, as DiGN does.", "D21"),
      key("views.chains", NM_FIELD(views.augmix.width), between(1, 16),
          "AugMix chains of operations per mixture."),
      key("views.depth", NM_FIELD(views.augmix.depth), between(-1, 16),
          "Operations per AugMix chain; -1 draws 1, 2 or 3 for each."),
      key("views.alpha", NM_FIELD(views.augmix.alpha), above(0),
          "AugMix chain weights are Dirichlet(alpha), the weight of the mixture is Beta(alpha, alpha)."),
      key("views.all_operations", NM_FIELD(views.augmix.all_operations), ConfigRange{},
          "AugMix also uses color, contrast, brightness and sharpness, which overlap with the test "
          "corruptions."),
  };
}

Rows perturb_rows() {
  return {
      key("perturb.kind", NM_FIELD(perturb.kind),
          Texts{"none", "gaussian", "pgd", "free", "noise2net", "augmax"},
          "Gaussian copies (DiGN, RSE); adversarial copies by projected gradient steps (PGD, TRADES) or with "
          "the step's "
          "own gradient (free); random networks (Noise2Net); adversarial mixtures of AugMix chains "
          "(AugMax)."),
      key("perturb.keep_clean", NM_FIELD(perturb.keep_clean), ConfigRange{},
          "Add the perturbed copies behind the views and compare them with the first one; false: a copy "
          "takes "
          "the place of the first view. free, noise2net and augmax have no choice."),
      key("perturb.copies", NM_FIELD(perturb.copies), between(1, 64),
          "gaussian: noisy copies of each image."),
      key("perturb.noise", NM_FIELD(perturb.noise), at_least(0),
          "gaussian: standard deviation in what the network sees, or the largest one."),
      key("perturb.noise_law", NM_FIELD(perturb.noise_law), Texts{"uniform", "fixed"},
          "gaussian: each image draws its deviation from U(0, noise) (DiGN), or all have the same (RSE)."),
      key("perturb.keep_share", NM_FIELD(perturb.keep_share), between(0, 1),
          "gaussian: probability that an entry has noise; 0.2 in DiGN's ImageNette recipe."),
      key("perturb.mask", NM_FIELD(perturb.mask), Texts{"element", "pixel"},
          "gaussian: entries left out are single values or whole pixels.", "D23"),
      key("perturb.norm", NM_FIELD(perturb.norm), Texts{"linf", "l2"}, "pgd: norm of the ball."),
      key("perturb.epsilon", NM_FIELD(perturb.epsilon), at_least(0),
          "pgd, free: radius of the ball, for pixels in [0, 1]. noise2net: largest step.", "D24"),
      key("perturb.iterations", NM_FIELD(perturb.iterations), between(1, 1000),
          "pgd, augmax: gradient steps."),
      key("perturb.step", NM_FIELD(perturb.step), at_least(0),
          "pgd, augmax: length of a step; 0 is 2.5 epsilon / iterations for pgd and 0.1 for augmax."),
      key("perturb.start", NM_FIELD(perturb.start), Texts{"zero", "random", "normal"},
          "pgd: start at the image, anywhere in the ball, or at the image plus 0.001 N(0, 1).", "D26, D27"),
      key("perturb.clip", NM_FIELD(perturb.clip), ConfigRange{}, "pgd: keep pixels in [0, 1].", "D26"),
      key("perturb.attack", NM_FIELD(perturb.attack), Texts{"cross_entropy", "kl"},
          "pgd: what the steps increase: the cross-entropy (PGD), or the divergence from the clean "
          "prediction (TRADES)."),
      key("perturb.friendly", NM_FIELD(perturb.friendly), between(0, 1000),
          "augmax: an image stops after so many wrong predictions; 0 never (DiGN's form)."),
      key("perturb.share", NM_FIELD(perturb.share), between(0, 1),
          "noise2net: share of the batch that is replaced."),
      key("perturb.hidden", NM_FIELD(perturb.hidden), between(1, 256), "noise2net: channels of a slice."),
      key("perturb.consistency", NM_FIELD(perturb.consistency), Texts{"none", "kl", "jensen_shannon"},
          "Divergence of the copies' predictions from the first view's: the mean of KL(first || copy), or "
          "the "
          "Jensen-Shannon divergence of all of them."),
      key("perturb.consistency_weight", NM_FIELD(perturb.consistency_weight), at_least(0),
          "Factor on that term: lambda of DiGN and TRADES.", "D27"),
  };
}

Rows mix_rows() {
  return {
      key("mix.kind", NM_FIELD(input_mix.kind), Texts{"features", "cutmix", "puzzlemix"},
          "Blend activations at a drawn stage (mixup, manifold mixup, NFM, NoisyMix), or paste parts of the "
          "partner image "
          "into the input: a box (CutMix), or the salient blocks (PuzzleMix)."),
      key("mix.probability", NM_FIELD(input_mix.probability), between(0, 1),
          "cutmix: probability that a step mixes; 0.5 on CIFAR, 1 on ImageNet."),
      key("mix.transport", NM_FIELD(input_mix.transport), ConfigRange{},
          "puzzlemix: also move salient blocks into the part of the image that they are given."),
      key("mix.enabled", NM_FIELD(mix.mix), ConfigRange{},
          "Mix each batch with a permuted copy of itself. Independent of the noise.", "D6"),
      key("mix.alpha", NM_FIELD(mix.alpha), at_least(0),
          "The mixing weight is Beta(alpha, alpha); 0 makes it 1, which mixes nothing."),
      key("mix.layers", NM_FIELD(mix.layers), between(0, 100),
          "Stages at which to mix and add noise, one drawn each step: 0 is the input, k the output of "
          "stage k. Empty is every stage the model announces.",
          "D7"),
      key("mix.add", NM_FIELD(mix.add), at_least(0), "Level of the additive Gaussian noise; 0 is none.",
          "D9, D10, D11"),
      key("mix.mult", NM_FIELD(mix.mult), at_least(0), "Level of the multiplicative noise; 0 is none.",
          "D9, D10, D11"),
      key("mix.sparse", NM_FIELD(mix.sparse), between(0, 1),
          "Probability that an entry of either noise is left out.", "D2"),
      enumeration(
          "mix.scale", NM_FIELD(mix.scale), {"beta25", "fixed"},
          "Multiply each noise level by one Beta(2,5) draw per view and kind (code), or keep it (paper).",
          "D1"),
      enumeration(
          "mix.view_scale", NM_FIELD(mix.view_scale), {"index", "none"},
          "Multiply the additive level by the number of the view, 1, 2, 3 (code), or keep it (paper).", "D3"),
      enumeration("mix.mult_law", NM_FIELD(mix.law), {"uniform", "normal"},
                  "Law of the multiplicative entries: uniform on (-1, 1) or standard normal.", "D4"),
  };
}

Rows objective_rows() {
  return {
      key("objective.cross_entropy_views", NM_FIELD(objective.cross_entropy_views), Texts{"first", "all"},
          "Views that enter the cross-entropy."),
      key("objective.classification", NM_FIELD(objective.classification),
          Texts{"cross_entropy", "binary_cross_entropy"},
          "Loss of the predictions against the labels; binary is over classes one by one, as in the "
          "PuzzleMix code."),
      key("objective.separate_forwards", NM_FIELD(objective.separate_forwards), ConfigRange{},
          "A forward pass for each view, with batch statistics of its own (DiGN), instead of one over all of "
          "them.",
          "D22"),
      key("objective.label_smoothing", NM_FIELD(objective.label_smoothing), below(0, 1),
          "Share s of the label spread over all classes: (1 - s) one-hot + s / classes."),
      key("objective.consistency", NM_FIELD(objective.consistency), list_objectives(),
          "Divergence of the predictions for the views of an image."),
      key("objective.consistency_weight", NM_FIELD(objective.consistency_weight), at_least(0),
          "Factor on the consistency term.", "D38"),
      key("objective.consistency_floor", NM_FIELD(objective.consistency_floor), below(0, 1),
          "Lower clamp of the mean prediction inside the logarithm; 0 is the plain divergence.", "D30"),
  };
}

}  // namespace noisymix::schema

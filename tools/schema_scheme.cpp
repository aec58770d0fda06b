// Settings of the three choices of a training scheme: views, mixing, objective.
#include "tools/schema_row.h"

#include "tools/scheme.h"

namespace noisymix::schema {

Rows view_rows() {
  return {
      key("views.kind", NM_FIELD(views.kind), Texts{"plain", "augmix", "augmix_only"},
          "Views of an image: plain crop/flip copies, the plain image followed by AugMix views, or AugMix "
          "views alone."),
      key("views.count", NM_FIELD(views.count), between(1, 16),
          "plain: equal copies; otherwise AugMix views, so that augmix with 2 makes three views."),
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

Rows mix_rows() {
  return {
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
